import Contract
import Glibc
import Logging
import NIOCore
import RPC
import Synchronization
import Testing
import Wire

/// What administrators ask of every service, over its admin socket.
@Suite(.serialized) struct AdministrationTests {
    /// Asks in one frame, as by hand.
    private func ask(_ server: TestServer, _ call: String, _ arguments: String = "{}") async throws -> Message {
        let peer = try await RawPeer.connect(server.admin)
        defer { peer.close() }
        try await peer.say(#"{"id":1,"call":"\#(call)","arguments":\#(arguments)}"#)
        return try await peer.terminal(of: 1)
    }

    private func result<R: Decodable>(_ message: Message, as type: R.Type) throws -> R {
        guard case .result(_, let value) = message else { throw Unexpected(message: message) }
        return try value.decode(R.self)
    }

    private struct Unexpected: Error { let message: Message }

    private func code(_ message: Message) -> ErrorCode? {
        if case .error(_, let error) = message { error.code } else { nil }
    }

    /// A service whose calls hang until they are cancelled.
    private func holding() -> Operations {
        var operations = Operations.test()
        operations.on(Hold.self) { _, _ in
            try await Task.sleep(for: .seconds(3600))
            return Done()
        }
        return operations
    }

    @Test func callsAndConnectionsAreSeenWhileTheyAreThere() async throws {
        try await withServer(holding()) { server in
            let peer = try await RawPeer.greeted(server.gateway)
            let trace = "0af7651916cd43dd8448eb211c80319c"
            try await peer.say(
                #"{"id":7,"call":"test.hold","deadline_ms":60000,"traceparent":"00-\#(trace)-b7ad6b7169203331-01"}"#
            )
            var calls: [ListCalls.Call] = []
            try await eventually {
                calls = try result(await ask(server, "calls"), as: ListCalls.Result.self).calls
                return !calls.isEmpty
            }
            let call = try #require(calls.first)
            #expect(calls.count == 1 && call.operation == "test.hold" && call.id == 7 && call.role == .gateway)
            #expect(call.traceID == trace && call.within == nil && call.run == nil)
            #expect((0...60_000).contains(call.deadlineMilliseconds ?? -1) && call.ageMilliseconds >= 0)

            let connections = try result(await ask(server, "connections"), as: ListConnections.Result.self).connections
            let own = try #require(connections.first { $0.role == .gateway })
            #expect(own.connection == call.connection && own.pid == Int(getpid()) && own.uid == Int(getuid()))
            #expect(own.calls == 1 && own.octetsIn > 100 && own.octetsOut > 50)
            // Other tests' connections to it may still be closing, but the one that asks is there.
            #expect(connections.contains { $0.role == .admin })
            peer.close()
            try await eventually {
                try result(await ask(server, "calls"), as: ListCalls.Result.self).calls.isEmpty
            }
        }
    }

    @Test func whatWasDoneIsCountedByOperationAndCode() async throws {
        try await withServer { server in
            let peer = try await RawPeer.greeted(server.gateway)
            try await peer.say([
                #"{"id":1,"call":"test.echo","arguments":{"text":"a"}}"#,
                #"{"id":2,"call":"test.echo","arguments":{"text":"b"}}"#,
                #"{"id":3,"call":"test.fail","arguments":{"defect":false}}"#, #"{"id":4,"call":"test.admin"}"#,
                #"{"id":5,"call":"made.up"}"#, #"{"id":6,"call":"made.up.too"}"#, #"{"id":7,"call":"stats"}"#,
            ])
            for _ in 1...7 { _ = try #require(await peer.heard()) }
            var stats = try result(await ask(server, "stats"), as: Stats.self)
            try await eventually {
                stats = try result(await ask(server, "stats"), as: Stats.self)
                func count(_ name: String) -> Int {
                    stats.operations.first { $0.name == name }.map { $0.succeeded + $0.failed.values.reduce(0, +) } ?? 0
                }
                return ["test.echo", "test.fail", "test.admin", "other"].map(count) == [2, 1, 1, 2]
            }
            func operation(_ name: String) throws -> Stats.Operation {
                try #require(stats.operations.first { $0.name == name })
            }
            let echo = try operation("test.echo")
            #expect(echo.succeeded == 2 && echo.failed.isEmpty && echo.buckets.reduce(0, +) == 2)
            #expect(echo.buckets.count == stats.bounds.count + 1 && echo.microseconds > 0)
            #expect(try operation("test.fail").failed == ["not_found": 1])
            #expect(try operation("test.admin").failed == ["permission_denied": 1])
            #expect(try operation("test.admin").buckets.isEmpty)
            #expect(try operation("other").failed == ["unimplemented": 2])
            #expect(stats.connections["gateway"] == 1 && stats.health.service == "test" && !stats.isDraining)
        }
    }

    @Test func looksAreForAdministratorsAndMonitoring() async throws {
        try await withServer { server in
            let peer = try await RawPeer.greeted(server.gateway)
            let calls = ["stats", "calls", "connections", "drain", "resume"]
            try await peer.say(
                calls.enumerated().map { #"{"id":\#($0 + 1),"call":"\#($1)","arguments":{"confirm":true}}"# }
            )
            var codes: [ErrorCode?] = []
            for id in 1...calls.count { codes.append(code(try await peer.terminal(of: id))) }
            #expect(codes == [nil] + Array(repeating: .permissionDenied, count: 4))
            try await peer.say(#"{"id":9,"call":"stats","stream":1}"#)
            #expect(code(try await peer.terminal(of: 9)) == .invalidArgument)
        }
    }

    @Test func aDrainedServiceFinishesWhatItHasAndTakesNothingNew() async throws {
        var operations = holding()
        operations.onStream(Standing.self, standing: true) { _, _, _ in
            try await Task.sleep(for: .seconds(3600))
            return Done()
        }
        try await withServer(operations) { server in
            let peer = try await RawPeer.greeted(server.gateway)
            try await peer.say([#"{"id":1,"call":"test.hold"}"#, #"{"id":2,"call":"test.standing","stream":1}"#])
            try await peer.say(#"{"id":3,"call":"test.open","stream":1}"#)
            try await eventually {
                try result(await ask(server, "calls"), as: ListCalls.Result.self).calls.count == 3
            }
            #expect(code(try await ask(server, "drain")) == .failedPrecondition)
            #expect(code(try await ask(server, "drain", #"{"confirm":"true"}"#)) == .failedPrecondition)
            let drained = try result(await ask(server, "drain", #"{"confirm":true}"#), as: DrainService.Result.self)
            #expect(drained.inFlight == 2)
            #expect(code(try await peer.terminal(of: 2)) == .unavailable)
            try await peer.say(#"{"id":4,"call":"test.echo","arguments":{"text":"a"}}"#)
            guard case .error(4, let refusal) = try await peer.terminal(of: 4) else {
                Issue.record("it was taken")
                return
            }
            #expect(refusal.code == .unavailable && refusal.retry == .safe && refusal.afterMilliseconds == 1_000)
            // What is open goes on, administrators are answered, and health says why.
            try await peer.say(#"{"id":5,"call":"test.put","within":3,"arguments":{"number":1}}"#)
            #expect(code(try await peer.terminal(of: 5)) == nil)
            #expect(code(try await ask(server, "test.admin")) == nil)
            let health = try await server.health().decode(Health.self)
            #expect(!health.ready && health.reasons == [Health.drained])

            #expect(code(try await ask(server, "resume", #"{"confirm":true}"#)) == nil)
            try await peer.say(#"{"id":6,"call":"test.echo","arguments":{"text":"a"}}"#)
            #expect(code(try await peer.terminal(of: 6)) == nil)
            #expect(try await server.health().decode(Health.self).ready)
            peer.close()
        }
    }

    private struct Standing: StreamingOperation {
        static let name = "test.standing"
        static let callers: Set<Role> = [.gateway]
        typealias Item = Int
        typealias Result = Done
    }

    @Test func whoAskedIsWrittenDown() async throws {
        let records = Records()
        let logger = Logger(label: "test") { _ in Recorder(records: records) }
        try await withServer(logger: logger) { server in
            _ = try await ask(server, "health")
            _ = try await ask(server, "calls")
            _ = try await ask(server, "test.admin")
            _ = try await ask(server, "test.echo", #"{"text":"a"}"#)
            _ = try await ask(server, "resume", #"{"confirm":true}"#)
            _ = try await ask(server, "drain")
        }
        let seen = records.all.filter { $0.message.hasPrefix("an administrator asked for ") }
        #expect(
            seen.map { "\($0.level) \($0.metadata["operation"] ?? "")" } == [
                "info calls", "notice test.admin", "notice resume", "notice drain",
            ]
        )
        #expect(seen.allSatisfy { $0.metadata["caller"]?.hasPrefix("uid \(getuid())") == true })
        #expect(seen.allSatisfy { $0.metadata["caller"]?.hasSuffix("pid \(getpid())") == true })
        #expect(seen[2].metadata["arguments"] == #"{"confirm":true}"#)
        #expect(seen[3].metadata["error_code"] == "failed_precondition")
        if getuid() == 0 { #expect(seen[0].metadata["caller"] == "uid 0 (root), pid \(getpid())") }
    }
}

/// What was logged, for a test to look at.
final class Records: Sendable {
    struct Record: Sendable {
        var level: Logger.Level
        var message: String
        var metadata: [String: String]
    }

    private let records = Mutex<[Record]>([])
    var all: [Record] { records.withLock { $0 } }
    func add(_ record: Record) { records.withLock { $0.append(record) } }
}

struct Recorder: LogHandler {
    let records: Records
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.debug

    init(records: Records) {
        self.records = records
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        records.add(
            Records.Record(
                level: event.level,
                message: event.message.description,
                metadata: all.mapValues { "\($0)" }
            )
        )
    }
}
