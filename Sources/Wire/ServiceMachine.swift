/// The service's end of a connection as a pure machine: messages and events in, actions out, no I/O and no clock.
///
///     expecting hello ──hello──▶ open ──goAway──▶ going away ─┐
///                                  └──inputEnded──▶ ended ────┴──last call answered──▶ mayClose
///
/// Calls and streams are in `ServiceMachine+Calls.swift`.
public struct ServiceMachine: Sendable {
    /// What is to be done about a message.
    public enum Action: Sendable, Equatable {
        case nothing
        /// Send this. An error with an id is the terminal of a call that was not started.
        case send(Message)
        /// The peer has introduced itself: raise the frame limit, and send this, the service's own hello.
        case greet(Message.Hello, answer: Message)
        /// Start this call; it is in flight until `answered`.
        case start(Message.Call)
        /// Answer this call now; it is not counted.
        case answerAtOnce(Message.Call)
        /// Cancel the call's work. Its terminal still comes.
        case cancel(CallID, reason: String)
        /// The call has credit for items again.
        case creditArrived(CallID)
    }

    /// A stream's account.
    struct Stream: Sendable {
        var credit: Int
        var sent = 0
    }

    /// A call in flight.
    struct Call: Sendable {
        /// The account of one that streams.
        var stream: Stream?
        /// The call whose scope it belongs to.
        var within: CallID?
        /// Calls in flight within its own scope.
        var inner = 0
    }

    let limits: Limits
    /// What this side says of itself.
    let introduction: Message.Hello
    /// Operations that are answered at once and not counted.
    let atOnce: Set<String>
    var lastID: CallID = 0
    /// Calls in flight.
    var calls: [CallID: Call] = [:]
    /// Those of them that belong to the scope of another.
    var inner = 0
    var streamsOpen = 0
    /// The last id that is still served, once the service goes away.
    var lastServed: CallID?
    private var expectsHello: Bool
    private var greeted = false
    private var inputHasEnded = false

    /// - Parameters:
    ///   - introduction: what the service says in its hello.
    ///   - requiresHello: false on admin sockets, where a single frame suffices.
    ///   - atOnce: the operations that the reader answers itself.
    public init(limits: Limits, introduction: Message.Hello, requiresHello: Bool, atOnce: Set<String>) {
        self.limits = limits
        self.introduction = introduction
        self.atOnce = atOnce
        expectsHello = requiresHello
    }

    /// The largest payload that may arrive now.
    public var frameLimit: Int { expectsHello ? limits.frameBytesBeforeHello : limits.frameBytes }
    /// Calls whose terminal has not been sent.
    public var inFlight: Int { calls.count }
    /// Nothing more can come of this connection.
    public var mayClose: Bool { (inputHasEnded || lastServed != nil) && calls.isEmpty }

    /// A message arrived.
    /// - Parameter processHasRoom: whether the process may have one more call in flight.
    /// - Throws: `ProtocolViolation`; then the connection is to be closed.
    public mutating func receive(_ message: Message, processHasRoom: Bool) throws(ProtocolViolation) -> Action {
        if case .hello(let hello) = message { return try greet(hello) }
        guard !expectsHello else { throw ProtocolViolation(.helloExpected, "the first message must be hello") }
        switch message {
        case .call(let call): return try begin(call, processHasRoom: processHasRoom)
        case .credit(let id, let more): return try grant(more, to: id)
        case .cancel(let id, let reason): return try cancel(id, reason: reason)
        case .ping(let number): return .send(.pong(number))
        case .pong: return .nothing
        case .hello, .result, .error, .item, .end, .goaway:
            throw ProtocolViolation(.unexpectedMessage, "a caller does not send this")
        }
    }

    /// The peer has closed its writing half: what is in flight is answered, nothing more comes.
    public mutating func inputEnded() {
        inputHasEnded = true
    }

    /// The service stops: calls up to now are finished, later ones refused. Nil when it was said before, or when the
    /// peer has not even introduced itself.
    public mutating func goAway(reason: String) -> Message? {
        guard lastServed == nil else { return nil }
        lastServed = lastID
        guard !expectsHello else { return nil }
        let grace = Int(limits.grace / .milliseconds(1))
        return .goaway(Message.Goaway(last: lastID, reason: reason, graceMilliseconds: grace))
    }

    private mutating func greet(_ hello: Message.Hello) throws(ProtocolViolation) -> Action {
        guard !greeted, lastID == 0 else {
            throw ProtocolViolation(.unexpectedMessage, "hello is the first message, and said once")
        }
        let ours = introduction.versions
        guard hello.versions.overlaps(ours) else {
            let theirs = hello.versions
            throw ProtocolViolation(
                .noCommonVersion,
                "this side speaks protocol \(ours.lowerBound) to \(ours.upperBound), "
                    + "the peer \(theirs.lowerBound) to \(theirs.upperBound)"
            )
        }
        greeted = true
        expectsHello = false
        return .greet(hello, answer: .hello(introduction))
    }
}
