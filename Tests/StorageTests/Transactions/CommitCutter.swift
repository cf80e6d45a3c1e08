import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// Stands between storage and Postgres, and takes away the server's answer to a COMMIT, connection and all: whoever
/// waits for it cannot know whether the transaction was committed.
final class CommitCutter: Sendable {
    private struct State {
        var commits = 0
        var cuts = 0
    }

    /// Every so many commits lose their answer.
    private let every: Int
    private let state = Mutex(State())
    var cuts: Int { state.withLock { $0.cuts } }

    init(every: Int) {
        self.every = every
    }

    /// Runs `body` with a connection string that leads through the cutter.
    static func run<Value>(
        every: Int,
        before connectionString: String,
        _ body: (CommitCutter, String) async throws -> Value
    ) async throws -> Value {
        var template = Array("/tmp/octavo-cutter-XXXXXX".utf8CString)
        let folder = mkdtemp(&template).map { String(cString: $0) } ?? "/tmp"
        defer { rmdir(folder) }
        var parts = connectionString.split(separator: " ").map(String.init)
        func value(_ key: String) -> String? {
            parts.first { $0.hasPrefix("\(key)=") }.map { $0.dropFirst(key.count + 1).filter { $0 != "'" } }
        }
        let server = "\(value("host") ?? "")/.s.PGSQL.\(value("port") ?? "5432")"
        let path = "\(folder)/.s.PGSQL.5432"
        parts.removeAll { $0.hasPrefix("host=") || $0.hasPrefix("port=") }
        parts += ["host=\(folder)", "port=5432"]
        let cutter = CommitCutter(every: every)
        let listener = try await cutter.listen(path, server)
        defer { unlink(path) }
        do {
            let value = try await body(cutter, parts.joined(separator: " "))
            try await listener.close()
            return value
        } catch {
            try? await listener.close()
            throw error
        }
    }

    private func listen(_ path: String, _ server: String) async throws -> any Channel {
        let group = MultiThreadedEventLoopGroup.singleton
        return try await ServerBootstrap(group: group)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { client in
                ClientBootstrap(group: client.eventLoop)
                    .channelInitializer { upstream in
                        upstream.eventLoop.makeCompletedFuture {
                            try upstream.pipeline.syncOperations.addHandler(Answers(client, self))
                        }
                    }
                    .connect(unixDomainSocketPath: server)
                    .flatMap { upstream in
                        client.eventLoop.makeCompletedFuture {
                            try client.pipeline.syncOperations.addHandler(Relay(upstream))
                        }
                    }
                    .flatMap { client.setOption(.autoRead, value: true) }
            }
            .bind(unixDomainSocketPath: path)
            .get()
    }

    fileprivate func cutsThis() -> Bool {
        state.withLock { state in
            state.commits += 1
            guard state.commits.isMultiple(of: every) else { return false }
            state.cuts += 1
            return true
        }
    }
}

/// Passes on what it reads.
private final class Relay: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    private let other: any Channel

    init(_ other: any Channel) {
        self.other = other
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        other.writeAndFlush(unwrapInboundIn(data), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        other.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

/// Passes on the server's messages, but for the answer to a COMMIT that is to be lost.
private final class Answers: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let client: any Channel
    private let cutter: CommitCutter
    private var buffer = ByteBuffer()

    init(_ client: any Channel, _ cutter: CommitCutter) {
        self.client = client
        self.cutter = cutter
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var read = unwrapInboundIn(data)
        buffer.writeBuffer(&read)
        // A type octet, then a length that counts itself (PostgreSQL manual, 55.7).
        while let length = buffer.getInteger(at: buffer.readerIndex + 1, as: Int32.self),
            let message = buffer.readSlice(length: Int(length) + 1)
        {
            let isCommit = message.readableBytesView.elementsEqual("C\0\0\0\u{B}COMMIT\0".utf8)
            if isCommit, cutter.cutsThis() {
                client.close(promise: nil)
                return context.close(promise: nil)
            }
            client.write(message, promise: nil)
        }
        client.flush()
    }

    func channelInactive(context: ChannelHandlerContext) {
        client.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
