internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// A collector that takes OTLP over HTTP, as JSON. A connection for each batch: there is one in a second at most, and nothing is
/// to be kept alive in between.
struct Collector: SpanDestination {
    private static let connecting = TimeAmount.seconds(2)

    private let target: TraceTarget
    private let group: any EventLoopGroup

    init(_ target: TraceTarget, group: any EventLoopGroup) {
        self.target = target
        self.group = group
    }

    var description: String {
        switch target {
        case .folder(let path), .socket(let path): "the collector at \(path)"
        case .http(let host, let port): "the collector at \(host):\(port)"
        }
    }

    func deliver(_ batch: ByteBuffer, until deadline: ContinuousClock.Instant) async -> SpanBuffer.Delivery {
        let left = ContinuousClock.now.duration(to: deadline)
        let loop = group.next()
        let answer = loop.makePromise(of: SpanBuffer.Delivery.self)
        // Whatever happens, there is an answer by then: a collector that accepts and never reads is one that is away.
        let timeout = loop.scheduleTask(in: TimeAmount(left)) { answer.succeed(.again(after: nil)) }
        defer { timeout.cancel() }
        let channel: any Channel
        do {
            channel = try await connect(on: loop, answer)
        } catch {
            answer.succeed(.again(after: nil))
            return .again(after: nil)
        }
        defer { channel.close(promise: nil) }
        return await withTaskCancellationHandler {
            send(batch, on: channel)
            return (try? await answer.futureResult.get()) ?? .again(after: nil)
        } onCancel: {
            answer.succeed(.again(after: nil))
        }
    }

    private func connect(
        on loop: any EventLoop,
        _ answer: EventLoopPromise<SpanBuffer.Delivery>
    ) async throws -> any Channel {
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(Self.connecting)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(CollectorAnswer(answer))
                }
            }
        switch target {
        case .folder(let path), .socket(let path): return try await bootstrap.connect(unixDomainSocketPath: path).get()
        case .http(let host, let port):
            return try await bootstrap.connect(to: SocketAddress(ipAddress: host, port: port)).get()
        }
    }

    private func send(_ batch: ByteBuffer, on channel: any Channel) {
        let host =
            if case .http(let host, let port) = target { host == "::1" ? "[::1]:\(port)" : "\(host):\(port)" } else {
                "localhost"
            }
        let headers: HTTPHeaders = [
            "host": host, "content-type": "application/json", "content-length": "\(batch.readableBytes)",
            "connection": "close",
        ]
        let head = HTTPRequestHead(version: .http1_1, method: .POST, uri: "/v1/traces", headers: headers)
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        channel.write(HTTPClientRequestPart.body(.byteBuffer(batch)), promise: nil)
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
    }
}

/// Reads what the collector answers: its status says all.
private final class CollectorAnswer: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let answer: EventLoopPromise<SpanBuffer.Delivery>

    init(_ answer: EventLoopPromise<SpanBuffer.Delivery>) {
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(let head) = unwrapInboundIn(data) else { return }
        switch head.status.code {
        case 200..<300: answer.succeed(.taken)
        // OTLP's list of what may be sent again.
        case 429, 502, 503, 504:
            let seconds = head.headers.first(name: "retry-after").flatMap { Int($0) }
            answer.succeed(.again(after: seconds.map { .seconds(min(max(0, $0), 3_600)) }))
        default: answer.succeed(.refused)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        answer.succeed(.again(after: nil))
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        answer.succeed(.again(after: nil))
    }
}
