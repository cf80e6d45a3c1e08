import HTTPTypes
import HummingbirdCore
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1

/// The life of one connection, between NIO's decoder and the router: answers what the router never sees, bounds every
/// wait, and closes so that the last answer arrives.
final class HTTPConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// How long a connection that is closed goes on being read. Closed with something unread, the kernel resets it, and
    /// the reset overtakes the answer (RFC 9112, 9.6).
    private static let linger = TimeAmount.seconds(1)

    private let limits: HTTPLimits
    private let date: HTTPDate
    /// What every request is answered with, whatever it is.
    private let refusing: HTTPRefusal?
    private var state: HTTPConnectionState
    private var timer: Scheduled<Void>?
    /// Bounds the wait for a body that did not come with its head: the other side may be slow, or never send it.
    private var bodyTimer: Scheduled<Void>?
    private var due = NIODeadline.distantFuture
    private var isLingering = false

    init(limits: HTTPLimits, date: HTTPDate, refusing: HTTPRefusal? = nil) {
        self.limits = limits
        self.date = date
        self.refusing = refusing
        state = HTTPConnectionState(limits: limits)
    }

    // MARK: What the decoder asks

    var readsRequests: Bool { state.readsRequests }

    enum Bytes { case headBegins, other }

    func bytesArrived(_ count: Int) -> Bytes {
        guard count > 0, state.headBegins() else { return .other }
        due = .now() + wait
        return .headBegins
    }

    private var wait: TimeAmount { refusing == nil ? TimeAmount(limits.idle) : Self.linger }

    // MARK: Reading

    func channelActive(context: ChannelHandlerContext) {
        awaitRequest(context)
        context.fireChannelActive()
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { awaitRequest(context) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        bodyTimer?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Nothing that comes is read: there need not even be a decoder.
        guard state.readsRequests else { return }
        if let refusing { return act(state.fail(refusing), context) }
        switch unwrapInboundIn(data) {
        case .head(let head): act(state.head(head), context, data)
        case .body(let buffer): act(state.body(buffer.readableBytes), context, data)
        case .end: act(state.end(), context, data)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        awaitBody(context)
        context.fireChannelReadComplete()
        // Whoever reads behind this handler may have stopped asking for more.
        if isLingering { context.read() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case let refusal as HTTPRefusal: act(state.fail(refusal), context)
        case let error as HTTPParserError: act(state.fail(HTTPRefusal(error, limits: limits)), context)
        case is ByteToMessageDecoderError: break
        default: context.fireErrorCaught(error)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent { return act(state.stop(), context) }
        context.fireUserInboundEventTriggered(event)
    }

    private func act(_ arrival: HTTPConnectionState.Arrival, _ context: ChannelHandlerContext, _ data: NIOAny? = nil) {
        switch arrival {
        case .forward: data.map(context.fireChannelRead)
        case .forwardAndContinue:
            let head = HTTPResponseHead(version: .http1_1, status: .continue)
            context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
            data.map(context.fireChannelRead)
        case .drop: break
        case .fail(let refusal): context.fireErrorCaught(refusal)
        case .answer(let refusal): answer(refusal, context)
        case .close: lingerAndClose(context)
        case .closeSoon:
            due = min(due, .now() + TimeAmount(limits.stopping))
            timer?.cancel()
            schedule(context)
        }
    }

    // MARK: Answering

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head):
            guard let head = state.responds(head) else { break }
            return context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body:
            guard state.sendsBody else { break }
            return context.write(data, promise: promise)
        case .end:
            guard state.isAnswering else { break }
            context.write(data, promise: promise)
            switch state.responded() {
            case .wait: awaitRequest(context)
            case .nothing: break
            case .answer(let refusal): answer(refusal, context)
            case .close:
                context.flush()
                lingerAndClose(context)
            }
            return
        }
        // A second answer to a request that was answered here, or a body for a HEAD.
        promise?.succeed()
    }

    private func answer(_ refusal: HTTPRefusal, _ context: ChannelHandlerContext) {
        var response = refusal.response
        response.headers[.date] = date.now
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[.connection] = "close"
        context.write(wrapOutboundOut(.head(HTTPResponseHead(response.head))), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(refusal.problem.body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        lingerAndClose(context)
    }

    // MARK: Waiting and closing

    private func awaitBody(_ context: ChannelHandlerContext) {
        guard state.isReadingBody else {
            bodyTimer?.cancel()
            bodyTimer = nil
            return
        }
        guard bodyTimer == nil else { return }
        bodyTimer = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(limits.body)) {
            self.act(self.state.bodyTimeCame(), context)
        }
    }

    private func awaitRequest(_ context: ChannelHandlerContext) {
        due = .now() + wait
        if timer == nil { schedule(context) }
    }

    private func schedule(_ context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: due) { self.timeCame(context) }
    }

    private func timeCame(_ context: ChannelHandlerContext) {
        timer = nil
        guard context.channel.isActive else { return }
        if isLingering { return context.close(mode: .all, promise: nil) }
        if state.isAnswering { return }
        if NIODeadline.now() < due { return schedule(context) }
        act(state.timeCame(), context)
    }

    /// Says that nothing more comes, and closes when the other side has done so too, or after a moment.
    private func lingerAndClose(_ context: ChannelHandlerContext) {
        guard !isLingering else { return }
        isLingering = true
        timer?.cancel()
        due = .now() + Self.linger
        schedule(context)
        context.close(mode: .output, promise: nil)
        context.read()
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard isLingering, context.channel.isActive else { return context.close(mode: mode, promise: promise) }
        context.channel.closeFuture.cascade(to: promise)
    }
}
