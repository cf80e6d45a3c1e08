import Contract
import FoundationEssentials
import Glibc
import Logging
import NIOCore
import RPC
import ServiceLifecycle
import Synchronization
import Testing
import Traces
import Wire

/// A folder for sockets that is removed afterwards.
func withFolder<R>(_ body: (String) async throws -> R) async throws -> R {
    let temporary = FileManager.default.temporaryDirectory.path
    var template = Array("\(temporary)/octavo-rpc-XXXXXX".utf8CString)
    let folder = try #require(mkdtemp(&template)).withMemoryRebound(to: CChar.self, capacity: 1) { String(cString: $0) }
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(folder)
}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

extension Limits {
    /// For tests that are not about time: on a busy machine a test may wait long for its turn.
    static let unhurried: Limits = {
        var limits = Limits.standard
        limits.helloTime = .seconds(300)
        limits.frameTime = .seconds(300)
        limits.stall = .seconds(300)
        limits.quietBeforePing = .seconds(300)
        limits.quietBeforeClose = .seconds(600)
        return limits
    }()
}

/// A server that runs during a test: one socket for gateways, one for admins.
struct TestServer {
    let folder: String
    let group: ServiceGroup
    var gateway: String { "\(folder)/gateway.sock" }
    var admin: String { "\(folder)/admin.sock" }

    /// As on SIGTERM.
    func stop() async { await group.triggerGracefulShutdown() }

    func client(limits: Limits = .unhurried) -> RPCClient {
        RPCClient(path: gateway, role: .gateway, name: "test", limits: limits, logger: quiet)
    }

    /// The service's health, asked for as a person would.
    func health() async throws -> JSON {
        let peer = try await RawPeer.connect(admin)
        try await peer.say(#"{"id":1,"call":"health"}"#)
        defer { peer.close() }
        let answer = try #require(await peer.heard())
        return try #require(JSON(validating: answer).member("result"))
    }
}

func withServer<R: Sendable>(
    _ operations: Operations = .test(),
    limits: Limits = .unhurried,
    logger: Logger = quiet,
    recorder: SpanRecorder? = nil,
    onDisconnect: (@Sendable (ConnectionID) -> Void)? = nil,
    _ body: (TestServer) async throws -> R
) async throws -> R {
    try await withFolder { folder in
        let listeners = [
            RPCListener(role: .gateway, address: .path("\(folder)/gateway.sock")),
            RPCListener(role: .admin, address: .path("\(folder)/admin.sock")),
        ]
        let server = RPCServer(
            listeners,
            operations: operations,
            limits: limits,
            logger: logger,
            recorder: recorder,
            onDisconnect: { id, _ in onDisconnect?(id) }
        )
        let group = ServiceGroup(services: [server], logger: quiet)
        async let running: Void = group.run()
        try await eventually { access("\(folder)/admin.sock", F_OK) == 0 }
        let result = try await body(TestServer(folder: folder, group: group))
        await group.triggerGracefulShutdown()
        try await running
        return result
    }
}

/// A client that runs during a test.
func running<R: Sendable>(_ client: RPCClient, _ body: (RPCClient) async throws -> R) async throws -> R {
    let group = ServiceGroup(services: [client], logger: quiet)
    async let running: Void = group.run()
    let result = try await body(client)
    await group.triggerGracefulShutdown()
    try await running
    return result
}

/// A listening socket as systemd would hand it over.
struct InheritedSocket: ~Copyable {
    let descriptor: CInt
    let path: String

    init(path: String, backlog: CInt = 128) throws {
        self.path = path
        descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0 && listen(descriptor, backlog) == 0)
    }

    deinit { _ = Glibc.close(descriptor) }
}

/// Waits for something that other tasks bring about.
func eventually(_ condition: () async throws -> Bool) async throws {
    for _ in 0..<60_000 {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    Issue.record("it did not come about within five minutes")
}

/// The error a call ends with.
func failure<R>(of body: () async throws -> R) async -> ServiceError? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? ServiceError
    }
}
