import Contract
import Daemon
import Logging
import NIOCore
import NIOPosix
import RPC
import ServiceLifecycle
import Synchronization
import Systemd
import Wire

@testable import Gateway

/// The gateway's HTTP, with all its routes and no services behind it, and a client that says exactly the bytes it is told.
struct TestServer {
    /// What came back until the server closed.
    struct Answer {
        var text: String

        /// The status of each response, in their order.
        var statuses: [Int] {
            text.split(separator: "HTTP/1.").dropFirst(text.hasPrefix("HTTP/1.") ? 0 : 1).compactMap {
                Int($0.dropFirst(2).prefix(3))
            }
        }
        /// Between the head and the end of the first response.
        var body: String { text.firstRange(of: "\r\n\r\n").map { String(text[$0.upperBound...]) } ?? "" }
        var problem: JSON? { try? JSON(validating: body) }

        func has(_ header: String) -> Bool { text.lowercased().contains("\r\n\(header.lowercased())\r\n") }
    }

    let port: Int
    private let http: @Sendable () -> Int

    /// Begins its graceful shutdown.
    let stop: @Sendable () async -> Void

    /// Connections the server has open.
    var connections: Int { http() }

    static func run(
        _ limits: HTTPLimits = HTTPLimits(),
        entrance: Entrance? = nil,
        host: String = "127.0.0.1",
        _ body: (TestServer) async throws -> Void
    ) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let socket = try ListenSocket.bindTCP(name: "http", host: host, port: 0)
        guard case .inet(_, let port) = socket.kind else { return }
        let nobody = RPCClient(path: "/nowhere.sock", role: .gateway, name: "nobody", logger: logger)
        let server = HTTPServer(
            descriptors: [socket.descriptor],
            responder: GatewayService.responder(
                storage: nobody,
                follower: RunFollower(runner: LongCalls { nobody }, storage: LongCalls { nobody }),
                neighbours: Neighbours([]),
                stats: { Stats.none },
                limits: limits
            ),
            entrance: entrance ?? Entrance(.beyondLoopback, logger: logger) { _ in },
            limits: limits,
            group: MultiThreadedEventLoopGroup.singleton,
            logger: logger
        )
        let group = ServiceGroup(services: [nobody, server], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let result: Result<Void, any Error>
            do {
                result = .success(
                    try await body(
                        TestServer(
                            port: Int(port),
                            http: { server.connections },
                            stop: { await group.triggerGracefulShutdown() }
                        )
                    )
                )
            } catch { result = .failure(error) }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            try result.get()
        }
    }

    /// Sends pieces, each as a packet of its own, and reads until the server closes.
    /// - Parameter ends: whether it says that nothing more comes.
    func send(_ pieces: [String], ends: Bool = false, to host: String = "127.0.0.1") async throws -> Answer {
        try await send(pieces.map { Array($0.utf8) }, ends: ends, to: host)
    }

    func send(_ pieces: [[UInt8]], ends: Bool = false, to host: String = "127.0.0.1") async throws -> Answer {
        try await connect(to: host) { inbound, outbound in
            var text = ""
            do {
                for piece in pieces { try await outbound.write(ByteBuffer(bytes: piece)) }
                if ends { outbound.finish() }
            } catch {
                // The server has answered and closed; what it said is read below.
            }
            do {
                for try await buffer in inbound { text += String(buffer: buffer) }
            } catch is IOError {
                // Reset, after what was read.
            }
            return Answer(text: text)
        }
    }

    /// A connection.
    func connect<T: Sendable>(
        to host: String = "127.0.0.1",
        _ body: (NIOAsyncChannelInboundStream<ByteBuffer>, NIOAsyncChannelOutboundWriter<ByteBuffer>) async throws -> T
    ) async throws -> T {
        // NIO ends the process when a connection is dropped that nobody has closed, one that was refused too.
        let made = Mutex<NIOAsyncChannel<ByteBuffer, ByteBuffer>?>(nil)
        let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>
        do {
            channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelOption(.allowRemoteHalfClosure, value: true)
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .connect(host: host, port: port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let connection = try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                            wrappingChannelSynchronously: channel,
                            configuration: .init(isOutboundHalfClosureEnabled: true)
                        )
                        made.withLock { $0 = connection }
                        return connection
                    }
                }
        } catch {
            try? await made.withLock { $0.take() }?.executeThenClose { _, _ in }
            throw error
        }
        return try await channel.executeThenClose { try await body($0, $1) }
    }
}

extension Stats {
    /// Of a service that has done nothing.
    static let none = Stats(
        health: Health(
            service: "gateway",
            ready: true,
            reasons: [],
            uptimeMilliseconds: 0,
            version: "0",
            inFlight: 0,
            connections: 0,
            gauges: [:]
        ),
        isDraining: false,
        logLevel: "info",
        operations: [],
        connections: [:],
        violations: [:]
    )
}
