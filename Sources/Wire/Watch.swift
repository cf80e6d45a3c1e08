public import NIOCore

/// The times of a connection, either end: slow senders, slow readers, late greetings, dead peers. Pure; whoever owns it
/// asks at `next`, and a single timer serves it.
public struct Watch: Sendable {
    /// What is due.
    public enum Action: Sendable, Equatable {
        case nothing
        /// The connection has been quiet: ask whether the peer lives.
        case ping
        /// The peer broke a time of the protocol.
        case violation(ProtocolViolation)
        /// The peer is dead, or does not read: close, nothing can be said to it.
        case cut(reason: String)
    }

    private let limits: Limits
    private var heard: NIODeadline
    private var pinged = false
    private var helloBy: NIODeadline?
    private var frameBy: NIODeadline?
    private var stalledBy: NIODeadline?

    /// - Parameter awaitsHello: whether the peer must introduce itself within `helloTime`.
    public init(limits: Limits, now: NIODeadline, awaitsHello: Bool) {
        self.limits = limits
        heard = now
        helloBy = awaitsHello ? now + TimeAmount(limits.helloTime) : nil
    }

    /// When to ask again.
    public var next: NIODeadline {
        let quiet = heard + TimeAmount(pinged ? limits.quietBeforeClose : limits.quietBeforePing)
        return [helloBy, frameBy, stalledBy].reduce(quiet) { earliest, other in
            other.map { min(earliest, $0) } ?? earliest
        }
    }

    /// Whole frames arrived.
    public mutating func heardFrame(now: NIODeadline) {
        heard = now
        pinged = false
        frameBy = nil
    }

    /// The peer has introduced itself.
    public mutating func greeted() {
        helloBy = nil
    }

    /// What has arrived ends within a frame. More octets of the same frame do not move its end.
    public mutating func insideFrame(now: NIODeadline) {
        if frameBy == nil { frameBy = now + TimeAmount(limits.frameTime) }
    }

    /// Nothing is read from the peer: a frame under way is not its fault.
    public mutating func paused() {
        frameBy = nil
    }

    /// Too much waits for the peer to read. Only progress moves the end, and shows as well that the peer lives.
    public mutating func stalled(now: NIODeadline, progress: Bool) {
        guard stalledBy == nil || progress else { return }
        stalledBy = now + TimeAmount(limits.stall)
        heard = max(heard, now)
    }

    /// The peer has read enough.
    public mutating func flowing() {
        stalledBy = nil
    }

    /// What is due at this time.
    public mutating func check(now: NIODeadline) -> Action {
        if let helloBy, now >= helloBy { return .violation(ProtocolViolation(.helloLate, "no hello in time")) }
        if let frameBy, now >= frameBy {
            return .violation(ProtocolViolation(.frameTooSlow, "a frame took more than \(limits.frameTime)"))
        }
        if let stalledBy, now >= stalledBy { return .cut(reason: "the peer does not read") }
        if now >= heard + TimeAmount(limits.quietBeforeClose) { return .cut(reason: "the peer is silent") }
        if !pinged, now >= heard + TimeAmount(limits.quietBeforePing) {
            pinged = true
            return .ping
        }
        return .nothing
    }
}
