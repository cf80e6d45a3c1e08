import NIOCore

/// Flushes once in a turn of the event loop. The client flushes the head of a request and then its body: two system calls, two
/// packets, and a provider that is woken twice.
final class FlushOnce: ChannelOutboundHandler {
    typealias OutboundIn = Any

    private var isDue = false

    func flush(context: ChannelHandlerContext) {
        guard !isDue else { return }
        isDue = true
        context.eventLoop.assumeIsolated().execute {
            self.isDue = false
            context.flush()
        }
    }
}
