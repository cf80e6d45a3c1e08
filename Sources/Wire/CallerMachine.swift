/// The caller's end of a connection as a pure machine: messages and events in, actions out, no I/O and no clock.
///
///     greeting ──hello──▶ open ──goaway──▶ leaving ──last call answered──▶ mayClose
public struct CallerMachine: Sendable {
    /// What is to be done about a message.
    public enum Action: Sendable, Equatable {
        case nothing
        case send(Message)
        /// The service has introduced itself: calls may start.
        case opened(Message.Hello)
        /// The terminal of a call, or of a stream whose items were counted.
        case answered(CallID, Result<JSON, ServiceError>)
        /// An item of a stream.
        case item(CallID, JSON)
        /// The service stops: open another connection. These calls were not started; they may be sent again there.
        case leaving(notStarted: [CallID])
        /// The service is about to close the connection, for this reason.
        case closing(ServiceError)
    }

    private enum Phase { case greeting, open, leaving }

    private struct Call {
        /// The stream's account: credit outstanding and items received; nil for a call without stream.
        var stream: (credit: Int, received: Int)?
        /// The call whose scope it belongs to.
        var within: CallID?
        /// Calls in flight within its own scope.
        var inner = 0
        /// Nobody waits any more, but it counts as in flight until its terminal arrives.
        var abandoned = false
    }

    private let introduction: Message.Hello
    private var phase = Phase.greeting
    private var calls: [CallID: Call] = [:]
    private var lastID: CallID = 0
    private var streamsOpen = 0
    private var inner = 0
    /// What the service accepts, as it said in its hello.
    public private(set) var accepted = Message.Accepted()

    /// A machine for a new connection.
    public init(introduction: Message.Hello) {
        self.introduction = introduction
    }

    /// The first message to send.
    public var greeting: Message { .hello(introduction) }
    /// Whether calls may be started at all.
    public var isOpen: Bool { phase == .open }
    /// The service has said that it stops, and nothing is in flight any more.
    public var mayClose: Bool { phase == .leaving && calls.isEmpty }
    /// Calls whose terminal has not arrived.
    public var inFlight: Int { calls.count }

    /// Whether one more call may be started now.
    public func hasRoom(forStream: Bool) -> Bool {
        isOpen && calls.count - inner < accepted.callsInFlight && lastID < Limits.largestID
            && (!forStream || streamsOpen < accepted.streamsOpen)
    }

    /// Whether one more call may be started now within the scope of a call in flight; also while the service is leaving.
    public func hasRoom(within scope: CallID) -> Bool {
        calls[scope].map { $0.inner < Limits.standard.callsWithinScope } ?? false && lastID < Limits.largestID
    }

    /// Starts a call, and returns its id.
    /// - Parameters:
    ///   - stream: the initial credit, where a streamed answer is wanted.
    ///   - scope: the call in flight whose scope it belongs to.
    public mutating func start(stream: Int?, within scope: CallID? = nil) -> CallID {
        lastID += 1
        calls[lastID] = Call(stream: stream.map { ($0, 0) }, within: scope)
        if stream != nil { streamsOpen += 1 }
        if let scope {
            inner += 1
            calls[scope]?.inner += 1
        }
        return lastID
    }

    /// The call is not in flight any more.
    @discardableResult
    private mutating func remove(_ id: CallID) -> Call? {
        guard let call = calls.removeValue(forKey: id) else { return nil }
        if call.stream != nil { streamsOpen -= 1 }
        if let scope = call.within {
            inner -= 1
            calls[scope]?.inner -= 1
        }
        return call
    }

    /// Grants a stream credit for more items; nil when the call is over or abandoned.
    public mutating func grant(_ more: Int, to id: CallID) -> Message? {
        guard var call = calls[id], let stream = call.stream, !call.abandoned else { return nil }
        call.stream = (stream.credit + more, stream.received)
        calls[id] = call
        return .credit(id: id, more)
    }

    /// Nobody waits for the call any more: returns the `cancel` to send, nil when the call is over anyway.
    public mutating func abandon(_ id: CallID, reason: String) -> Message? {
        guard var call = calls[id], !call.abandoned else { return nil }
        call.abandoned = true
        calls[id] = call
        return .cancel(id: id, reason: reason)
    }

    /// The call did not fit into a frame: nothing of it was written, its id is skipped.
    public mutating func neverSent(_ id: CallID) {
        remove(id)
    }

    /// The connection is gone: the calls somebody still waits for. All of them were written, so they may have been done.
    public mutating func lost() -> [CallID] {
        defer { (calls, inner) = ([:], 0) }
        return calls.filter { !$0.value.abandoned }.keys.sorted()
    }

    /// A message arrived.
    /// - Throws: `ProtocolViolation`; then the connection is to be closed.
    public mutating func receive(_ message: Message) throws(ProtocolViolation) -> Action {
        switch message {
        case .hello(let hello): return try greet(hello)
        case .error(nil, let error): return .closing(error)
        default: break
        }
        guard phase != .greeting else { throw ProtocolViolation(.helloExpected, "the first message must be hello") }
        switch message {
        case .result(let id, let value): return try finish(id, .success(value), streamed: false)
        case .error(let id, let error): return try finish(id ?? 0, .failure(error), streamed: nil)
        case .end(let id, let items, let result): return try end(id, items: items, result: result)
        case .item(let id, let sequence, let value): return try item(id, sequence: sequence, value)
        case .goaway(let goaway): return leave(goaway)
        case .ping(let number): return .send(.pong(number))
        case .pong: return .nothing
        case .hello, .call, .credit, .cancel:
            throw ProtocolViolation(.unexpectedMessage, "a service does not send this")
        }
    }

    private mutating func greet(_ hello: Message.Hello) throws(ProtocolViolation) -> Action {
        guard phase == .greeting else { throw ProtocolViolation(.unexpectedMessage, "hello is said once") }
        guard hello.versions.overlaps(introduction.versions) else {
            throw ProtocolViolation(.noCommonVersion, "the service speaks protocol \(hello.versions.lowerBound) and up")
        }
        phase = .open
        accepted = hello.limits
        return .opened(hello)
    }

    private mutating func leave(_ goaway: Message.Goaway) -> Action {
        phase = .leaving
        // What belongs to a scope that is still served is served with it.
        let notStarted = calls.filter { ($0.value.within ?? $0.key) > goaway.last }
        for id in notStarted.keys { remove(id) }
        return .leaving(notStarted: notStarted.filter { !$0.value.abandoned }.keys.sorted())
    }
}

// What arrives for a call.
extension CallerMachine {
    private func call(_ id: CallID) throws(ProtocolViolation) -> Call? {
        if let call = calls[id] { return call }
        // A call given back at `goaway` may still get the service's refusal; everything else is answered once.
        guard phase == .leaving, (1...max(lastID, 1)).contains(id) else {
            throw ProtocolViolation(.unknownID, "no call \(id) is in flight")
        }
        return nil
    }

    private mutating func finish(
        _ id: CallID,
        _ outcome: Result<JSON, ServiceError>,
        streamed: Bool?
    ) throws(ProtocolViolation) -> Action {
        guard let call = try call(id) else { return .nothing }
        if let streamed, streamed != (call.stream != nil) {
            throw ProtocolViolation(.unexpectedMessage, "a stream ends with end, another call with result")
        }
        remove(id)
        return call.abandoned ? .nothing : .answered(id, outcome)
    }

    private mutating func end(_ id: CallID, items: Int, result: JSON?) throws(ProtocolViolation) -> Action {
        if let stream = try call(id)?.stream, stream.received != items {
            throw ProtocolViolation(.sequence, "\(items) items announced, \(stream.received) received")
        }
        return try finish(id, .success(result ?? .emptyObject), streamed: true)
    }

    private mutating func item(_ id: CallID, sequence: Int, _ value: JSON) throws(ProtocolViolation) -> Action {
        guard var call = try call(id) else { return .nothing }
        guard let stream = call.stream else {
            throw ProtocolViolation(.unexpectedMessage, "an item for call \(id), which does not stream")
        }
        guard sequence == stream.received else {
            throw ProtocolViolation(.sequence, "item \(sequence) where \(stream.received) was due")
        }
        guard stream.credit > 0 else { throw ProtocolViolation(.creditExceeded, "an item without credit") }
        call.stream = (stream.credit - 1, stream.received + 1)
        calls[id] = call
        return call.abandoned ? .nothing : .item(id, value)
    }
}
