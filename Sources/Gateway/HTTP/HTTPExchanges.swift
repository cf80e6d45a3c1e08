import HTTPTypes
import HummingbirdCore
import NIOCore
import NIOHTTPTypes

/// The requests of one connection for the one task that answers them: whole, in their order, each answered before the next.
///
/// A request is handed over when its body is there, which `HTTPConnectionHandler` bounds in size and time. Everything happens
/// on the connection's event loop, where that task runs as well: between socket and route there is no queue and no thread.
final class HTTPExchanges: ChannelInboundHandler {
    typealias InboundIn = HTTPRequestPart
    typealias OutboundOut = HTTPResponsePart

    /// Requests that wait behind one that is being answered. With more the connection is not read: what a client sends without
    /// waiting for answers stays with the client.
    private static let mostWaiting = 8

    private var context: ChannelHandlerContext?
    private var arriving: (head: HTTPRequest, body: ByteBuffer)?
    private var waiting = CircularBuffer<Request>()
    private var isReadingPaused = false
    /// No further request comes.
    private var isEnded = false
    private var server: CheckedContinuation<Request?, Never>?
    private var writer: CheckedContinuation<Void, Never>?

    // MARK: What the channel calls

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): arriving = (head, ByteBuffer())
        case .body(var bytes):
            if arriving?.body.readableBytes == 0 { arriving?.body = bytes } else { arriving?.body.writeBuffer(&bytes) }
        case .end:
            guard let (head, body) = arriving.take() else { return }
            arrived(Request(head: head, body: RequestBody(buffer: body)))
        }
    }

    /// A body that cannot be read further fails whoever reads it.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let (head, _) = arriving.take() {
            let body = AsyncThrowingStream<ByteBuffer, any Error> { $0.finish(throwing: error) }
            arrived(Request(head: head, body: RequestBody(asyncSequence: body)))
        }
        end()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { end() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { writer.take()?.resume() }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        waiting.removeAll()
        end()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        writer.take()?.resume()
        end()
    }

    private func arrived(_ request: Request) {
        if let server = server.take() { return server.resume(returning: request) }
        waiting.append(request)
        pauseReading(waiting.count >= Self.mostWaiting)
    }

    private func end() {
        isEnded = true
        server.take()?.resume(returning: nil)
    }

    private func pauseReading(_ pause: Bool) {
        guard let context, pause != isReadingPaused else { return }
        isReadingPaused = pause
        // A channel that is closing refuses options, which is as well.
        try? context.channel.syncOptions?.setOption(.autoRead, value: !pause)
    }

    // MARK: What the task calls

    /// The next request; nil when there are no more.
    func next() async -> Request? {
        if let request = waiting.popFirst() {
            pauseReading(waiting.count >= Self.mostWaiting)
            return request
        }
        guard !isEnded else { return nil }
        return await withCheckedContinuation { server = $0 }
    }

    /// Writes a response. One whose length is known leaves in one piece; of another each part leaves when it is there.
    /// - Throws: `ChannelError.ioOnClosedChannel` when nobody reads any more.
    func write(_ response: Response) async throws {
        try send(.head(response.head), now: response.body.contentLength == nil)
        guard let loop = context?.eventLoop else { throw ChannelError.ioOnClosedChannel }
        let body = BodyWriter(
            exchanges: NIOLoopBound(self, eventLoop: loop),
            isWhole: response.body.contentLength != nil
        )
        try await response.body.write(body)
    }

    /// Nothing more is written.
    func finish() {
        context?.close(mode: .output, promise: nil)
    }

    private func send(_ part: HTTPResponsePart, now: Bool) throws {
        guard let context, context.channel.isActive else { throw ChannelError.ioOnClosedChannel }
        context.write(wrapOutboundOut(part), promise: nil)
        if now { context.flush() }
    }

    /// Nobody is made to wait whose reader keeps up.
    private func writable() async {
        guard let context, context.channel.isActive, !context.channel.isWritable else { return }
        context.flush()
        guard !context.channel.isWritable else { return }
        await withCheckedContinuation { writer = $0 }
    }

    /// Runs on the event loop, whoever writes: that is where the connection's task is at home.
    private struct BodyWriter: ResponseBodyWriter {
        let exchanges: NIOLoopBound<HTTPExchanges>
        let isWhole: Bool

        @concurrent func write(_ buffer: ByteBuffer) async throws {
            try exchanges.value.send(.body(buffer), now: !isWhole)
            await exchanges.value.writable()
        }

        @concurrent func finish(_ trailingHeaders: HTTPFields?) async throws {
            try exchanges.value.send(.end(trailingHeaders), now: true)
        }
    }
}
