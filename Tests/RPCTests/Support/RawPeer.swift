import NIOCore
import NIOPosix
import RPC
import Testing
import Wire

/// The other end of a connection without any of the code under test but the frame decoder: says and hears payloads.
final class RawPeer: Sendable {
    static let hello = #"{"hello":{"protocol":{"minimum":1,"maximum":1},"role":"gateway","build":"0.1.0"}}"#

    let channel: any Channel
    private let payloads: AsyncStream<String>

    fileprivate init(channel: any Channel, payloads: AsyncStream<String>) {
        self.channel = channel
        self.payloads = payloads
    }

    /// Connects, waiting for the socket to be there.
    static func connect(_ path: String, reading: Bool = true) async throws -> RawPeer {
        let (payloads, continuation) = AsyncStream<String>.makeStream()
        let bootstrap = ClientBootstrap(group: RPCEventLoop.shared)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.autoRead, value: reading)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Ear(continuation))
                }
            }
        for _ in 0..<2000 {
            if let channel = try? await bootstrap.connect(unixDomainSocketPath: path).get() {
                return RawPeer(channel: channel, payloads: payloads)
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        return RawPeer(
            channel: try await bootstrap.connect(unixDomainSocketPath: path).get(),
            payloads: payloads
        )
    }

    /// Connects and introduces itself as a gateway; the service's hello has been heard.
    static func greeted(_ path: String) async throws -> RawPeer {
        let peer = try await connect(path)
        try await peer.say(hello)
        let answer = try #require(await peer.heard())
        try #require(answer.hasPrefix(#"{"hello""#))
        return peer
    }

    func say(_ payload: String) async throws {
        try await write(ByteBuffer(string: "\(payload.utf8.count) \(payload)\n"))
    }

    /// All of them in one write.
    func say(_ payloads: [String]) async throws {
        try await write(ByteBuffer(string: payloads.map { "\($0.utf8.count) \($0)\n" }.joined()))
    }

    func write(_ octets: ByteBuffer) async throws {
        try await channel.writeAndFlush(octets)
    }

    /// The next payload; nil when the other side has closed.
    func heard() async -> String? {
        for await payload in payloads { return payload }
        return nil
    }

    /// The terminal of this call; what comes before it is passed over.
    func terminal(of id: Int) async throws -> Message {
        while let payload = await heard() {
            let message = try Message(decoding: ByteBuffer(string: payload))
            switch message {
            case .result(id, _), .error(id, _), .end(id, _, _): return message
            default: continue
            }
        }
        return try #require(nil, "closed without a terminal for \(id)")
    }

    func closeWriting() async throws {
        try await channel.close(mode: .output)
    }

    func close() {
        channel.close(promise: nil)
    }
}

private final class Ear: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let continuation: AsyncStream<String>.Continuation
    private var decoder = FrameDecoder(limit: 9_999_999)
    private var inbound = ByteBuffer()

    init(_ continuation: AsyncStream<String>.Continuation) {
        self.continuation = continuation
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var octets = unwrapInboundIn(data)
        inbound.writeBuffer(&octets)
        while let payload = try? decoder.decode(buffer: &inbound) { continuation.yield(String(buffer: payload)) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { continuation.finish() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        continuation.finish()
    }
}

/// A service made of a script: what it hears decides what it says. It knows nothing of the protocol.
final class ScriptedService: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let script: @Sendable (Message) -> [String]
    private var decoder = FrameDecoder(limit: 9_999_999)
    private var inbound = ByteBuffer()

    init(_ script: @Sendable @escaping (Message) -> [String]) {
        self.script = script
    }

    static let hello =
        #"{"hello":{"protocol":{"minimum":1,"maximum":1},"role":"scripted","build":"0"}}"#

    /// Listens; a line `close` closes the connection.
    static func listen(_ path: String, _ script: @Sendable @escaping (Message) -> [String]) async throws -> any Channel
    {
        try await ServerBootstrap(group: RPCEventLoop.shared)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ScriptedService(script))
                }
            }
            .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true)
            .get()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var octets = unwrapInboundIn(data)
        inbound.writeBuffer(&octets)
        while let payload = try? decoder.decode(buffer: &inbound) {
            guard let message = try? Message(decoding: payload) else { continue }
            for line in script(message) {
                if line == "close" { return context.close(promise: nil) }
                context.writeAndFlush(
                    wrapOutboundOut(ByteBuffer(string: "\(line.utf8.count) \(line)\n")),
                    promise: nil
                )
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
