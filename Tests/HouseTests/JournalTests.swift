import Contract
import FoundationEssentials
import Glibc
import Logging
import RPC
import ServiceLifecycle
import Testing
import Wire

@testable import Daemon

/// What the journal gets of a call: the records are read from a socket in place of the journal's own.
@Suite(.serialized, .timeLimit(.minutes(10))) struct JournalTests {
    private struct Break: Operation {
        static let name = "runs.break"
        static let callers: Set<Role> = [.gateway, .admin]
        typealias Result = Done
        var run: String
    }

    private struct Broken: Error {}

    @Test func aRecordOfACallHasItsFields() async throws {
        var template = Array("/tmp/octavo-journal-XXXXXX".utf8CString)
        let folder = String(cString: try #require(mkdtemp(&template)))
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let inbox = try Inbox("\(folder)/journal")
        let journal = try #require(JournalSocket(path: "\(folder)/journal"))
        let logger = Logger(label: "octavo-test") { label in
            JournalLogHandler(
                label: label,
                identifier: label,
                threshold: LogThreshold(.info),
                metadataProvider: nil,
                socket: journal
            )
        }
        var operations = Operations(service: "test", version: "0")
        operations.on(Break.self) { _, _ in throw Broken() }
        let server = RPCServer(
            [
                RPCListener(role: .gateway, address: .path("\(folder)/gateway.sock")),
                RPCListener(role: .admin, address: .path("\(folder)/admin.sock")),
            ],
            operations: operations,
            logger: logger
        )
        let quiet = Logger(label: "group") { _ in SwiftLogNoOpLogHandler() }
        let group = ServiceGroup(services: [server], logger: quiet)
        async let running: Void = group.run()
        let run = "01985f2c-7d3e-7c41-9a5b-2f1e8d6c4b3a"
        let trace = TraceParent()
        for role in [Role.gateway, .admin] {
            await RPCClient.withConnection(
                path: "\(folder)/\(role.rawValue).sock",
                role: role,
                name: "test",
                logger: quiet
            ) { client in
                // Until the server listens nothing is asked.
                var code: ErrorCode?
                while code != .internal {
                    do { _ = try await client.perform(Break(run: run), traceparent: trace) } catch {
                        code = (error as? ServiceError)?.code
                    }
                }
            }
        }
        let fields = (1...4).map { _ in inbox.next() }
        await group.triggerGracefulShutdown()
        try await running

        let expected = [
            "OPERATION": "runs.break", "TRACE_ID": trace.traceID, "RUN_ID": run.uppercased(), "ERROR_CODE": "internal",
            "LOGGER": "octavo-test",
        ]
        for record in fields {
            for (name, value) in expected {
                #expect(record[name]?.uppercased() == value.uppercased(), "\(name) of \(record)")
            }
        }
        // Of each call the defect itself, and the call that failed by it.
        #expect(fields.map { $0["CALLER"] } == ["gateway", "gateway", Self.own, Self.own])
        #expect(fields.map { $0["PRIORITY"] } == ["3", "4", "3", "4"])
    }

    private static let own = "uid \(getuid()), pid \(getpid())"

    /// A datagram socket, and its records as fields.
    private final class Inbox {
        private let descriptor: CInt

        init(_ path: String) throws {
            descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            // Rather an empty record than a test that hangs.
            var patience = timeval(tv_sec: 10, tv_usec: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
            let address = try #require(UnixAddress(path: path))
            try #require(address.withSocketAddress { bind(descriptor, $0, $1) } == 0)
        }

        deinit {
            close(descriptor)
        }

        /// The next record; none of these has a value of several lines.
        func next() -> [String: String] {
            var buffer = [UInt8](repeating: 0, count: 256 * 1024)
            let count = recv(descriptor, &buffer, buffer.count, 0)
            let lines = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self).split(separator: "\n")
            let fields = lines.map { $0.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false) }
            return Dictionary(fields.compactMap { $0.count == 2 ? (String($0[0]), String($0[1])) : nil }) { $1 }
        }
    }
}
