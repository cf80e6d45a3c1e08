internal import NIOCore
internal import Wire

/// One end of a connection: what a `Link` speaks to. All of it happens on the link's event loop.
protocol ConnectionEnd: AnyObject {
    /// The largest payload that may arrive now.
    var frameLimit: Int { get }
    /// Whether nothing is read while too much waits for the peer to read. Only a service does so: if callers did it as
    /// well, both could wait for each other.
    var pausesReading: Bool { get }
    /// The earliest deadline of this end's own.
    var nextDue: NIODeadline? { get }
    func opened(_ link: Link)
    func received(_ message: Message) throws(ProtocolViolation)
    /// The peer broke a rule; the end says so where it can, and closes.
    func violated(_ violation: ProtocolViolation)
    /// The peer has closed its writing half.
    func inputEnded()
    /// There is room to write again.
    func writable()
    /// `nextDue` may have come.
    func tick(now: NIODeadline)
    func closed(reason: String)
}

/// The socket under one end of a connection: cuts frames, writes them, watches the clock. Says nothing of its own but
/// `ping`.
///
/// What is sent in one turn of the event loop goes out in one write: at `channelReadComplete`, or at the end of the turn.
final class Link: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let limits: Limits
    let traffic = Traffic()
    private var end: (any ConnectionEnd)?
    private var context: ChannelHandlerContext?
    private var decoder: FrameDecoder
    private var encoder = FrameEncoder(limit: Limits.smallestFrameBytes)
    private var inbound = ByteBuffer()
    private var outbound = ByteBuffer()
    private var watch: Watch
    private var timer: (due: NIODeadline, scheduled: Scheduled<Void>)?
    private var isReading = false
    private var flushIsDue = false
    private var isPaused = false
    /// Reading stopped for want of room, not of frames.
    private var framesWait = false
    private var isClosing = false
    private var closeReason = "the peer closed it"
    /// Octets handed to the channel, and how many of them had left at the last look: progress of a slow reader.
    private var octetsWritten = 0
    private var octetsGone = 0

    init(end: any ConnectionEnd, limits: Limits, awaitsHello: Bool) {
        self.end = end
        self.limits = limits
        decoder = FrameDecoder(limit: end.frameLimit)
        watch = Watch(limits: limits, now: .now(), awaitsHello: awaitsHello)
    }

    /// Whether the peer reads fast enough to be written to.
    var isWritable: Bool {
        !isClosing && outbound.readableBytes < limits.outQueueBytes && context?.channel.isWritable == true
    }

    // MARK: What the ends call

    /// The peer has introduced itself, and accepts payloads of this size.
    func greeted(peerAccepts frameBytes: Int) {
        encoder.limit = frameBytes
        watch.greeted()
    }

    /// Whether a value fits into a frame together with the envelope around it.
    func fits(_ value: JSON) -> Bool { value.bytes.readableBytes + 128 <= encoder.limit }

    /// Sends a message with this turn of the event loop.
    /// - Throws: `FrameEncoder.TooLarge`; nothing was written.
    func send(_ message: Message) throws(FrameEncoder.TooLarge) {
        guard !isClosing, let context else { return }
        try encoder.encode(message, into: &outbound)
        guard !isReading, !flushIsDue else { return }
        flushIsDue = true
        context.eventLoop.assumeIsolated().execute { self.flush() }
    }

    /// Sends a message of the protocol's own, which always fits: every peer accepts 4096 octets.
    func say(_ message: Message) {
        try? send(message)
    }

    /// Makes sure that `tick` is called by the end's `nextDue`.
    func rearm() {
        guard let context, let end else { return }
        let due = end.nextDue.map { min($0, watch.next) } ?? watch.next
        if let timer {
            guard due < timer.due else { return }
            timer.scheduled.cancel()
        }
        timer = (due, context.eventLoop.assumeIsolated().scheduleTask(deadline: due) { self.timeCame() })
    }

    /// Sends what waits, and closes. A peer that does not even read that is cut.
    func close(reason: String) {
        guard !isClosing, let context else { return }
        flush()
        isClosing = true
        closeReason = reason
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { _ in
            channel.close(promise: nil)
        }
        watch.stalled(now: .now(), progress: true)
        rearm()
    }

    /// Closes without a word.
    func cut(reason: String) {
        guard let context else { return }
        if !isClosing { closeReason = reason }
        isClosing = true
        context.close(promise: nil)
    }

    // MARK: What the channel calls

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { begin() }
    }

    func channelActive(context: ChannelHandlerContext) {
        begin()
    }

    private func begin() {
        end?.opened(self)
        flush()
        rearm()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosing else { return }
        var octets = unwrapInboundIn(data)
        traffic.read(octets.readableBytes)
        if inbound.readableBytes == 0 { inbound = octets } else { inbound.writeBuffer(&octets) }
        readFrames()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        pump()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard context.channel.isWritable else {
            watch.stalled(now: .now(), progress: true)
            return pauseReading(true)
        }
        if !isClosing { watch.flowing() }
        pauseReading(false)
        end?.writable()
        pump()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed = event else { return context.fireUserInboundEventTriggered(event) }
        guard !isClosing else { return }
        guard inbound.readableBytes == 0, !decoder.isInsideFrame else {
            return fail(ProtocolViolation(.frameCut, "the stream ended within a frame"))
        }
        end?.inputEnded()
        flush()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        cut(reason: "\(error)")
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.scheduled.cancel()
        timer = nil
        isClosing = true
        self.context = nil
        inbound = ByteBuffer()
        outbound = ByteBuffer()
        let end = self.end
        self.end = nil
        end?.closed(reason: closeReason)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    // MARK: Frames

    /// Reads and writes until there is nothing to read, or no room for answers; then the channel says when there is.
    private func pump() {
        // Writing may change the writability within the write.
        guard !isReading else { return }
        repeat {
            readFrames()
            flush()
        } while framesWait && isWritable
        rearm()
    }

    private func readFrames() {
        guard !isReading, let end else { return }
        isReading = true
        defer { isReading = false }
        framesWait = false
        do throws(ProtocolViolation) {
            while !isClosing, inbound.readableBytes > 0 {
                // An answer to what is read now may be large: the queue is looked at before each frame.
                if end.pausesReading && !isWritable {
                    framesWait = true
                    return
                }
                guard let payload = try decoder.decode(buffer: &inbound) else { break }
                watch.heardFrame(now: .now())
                try end.received(Message(decoding: payload))
                decoder.limit = end.frameLimit
            }
        } catch {
            return fail(error)
        }
        if inbound.readableBytes > 0 || decoder.isInsideFrame { watch.insideFrame(now: .now()) }
        if inbound.readableBytes == 0 { inbound = ByteBuffer() }
    }

    private func fail(_ violation: ProtocolViolation) {
        inbound = ByteBuffer()
        end?.violated(violation)
        flush()
    }

    private func flush() {
        flushIsDue = false
        guard outbound.readableBytes > 0, let context else { return }
        octetsWritten += outbound.readableBytes
        traffic.wrote(outbound.readableBytes)
        let octets = outbound
        outbound = ByteBuffer()
        context.writeAndFlush(wrapOutboundOut(octets), promise: nil)
    }

    private func pauseReading(_ pause: Bool) {
        guard let context, end?.pausesReading == true, pause != isPaused else { return }
        isPaused = pause
        if pause { watch.paused() }
        // A channel that is closing refuses options, which is as well.
        try? context.channel.syncOptions?.setOption(.autoRead, value: !pause)
    }

    private func timeCame() {
        timer = nil
        guard let context else { return }
        let now = NIODeadline.now()
        if !context.channel.isWritable || isClosing {
            let waiting = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
            let gone = octetsWritten - waiting
            watch.stalled(now: now, progress: gone > octetsGone)
            octetsGone = gone
        }
        switch watch.check(now: now) {
        case .nothing: break
        case .ping: say(.ping(0))
        case .violation(let violation): fail(violation)
        case .cut(let reason): cut(reason: reason)
        }
        end?.tick(now: now)
        rearm()
    }
}
