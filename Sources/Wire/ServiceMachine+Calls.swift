// Calls: ids, what is in flight, credit, cancelling.
extension ServiceMachine {
    mutating func begin(_ call: Message.Call, processHasRoom: Bool) throws(ProtocolViolation) -> Action {
        guard call.id > lastID else {
            throw ProtocolViolation(.idNotIncreasing, "id \(call.id) after \(lastID)")
        }
        lastID = call.id
        if atOnce.contains(call.operation) { return .answerAtOnce(call) }
        if let refusal = refusal(of: call, processHasRoom: processHasRoom) {
            return .send(.error(id: call.id, refusal))
        }
        if call.stream != nil { streamsOpen += 1 }
        if let scope = call.within {
            inner += 1
            calls[scope]?.inner += 1
        }
        calls[call.id] = Call(stream: call.stream.map { Stream(credit: $0) }, within: call.within)
        return .start(call)
    }

    private func refusal(of call: Message.Call, processHasRoom: Bool) -> ServiceError? {
        if let scope = call.within { return refusal(of: call, within: scope) }
        if lastServed != nil { return .unavailable("The service is stopping.") }
        // A cancelled call holds its place until its terminal, so that cancelling buys no extra room.
        guard calls.count - inner < limits.callsInFlight else {
            return .resourceExhausted("\(limits.callsInFlight) calls are in flight on this connection already.")
        }
        guard call.stream == nil || streamsOpen < limits.streamsOpen else {
            return .resourceExhausted("\(limits.streamsOpen) streams are open on this connection already.")
        }
        guard processHasRoom else {
            return .resourceExhausted("The service has as many calls in flight as it takes.")
        }
        return nil
    }

    /// A call within a scope is not counted elsewhere, and taken while the service stops: what has begun can end.
    private func refusal(of call: Message.Call, within scope: CallID) -> ServiceError? {
        guard let enclosing = calls[scope], enclosing.within == nil else {
            return .failedPrecondition("Call \(scope) is not in flight, or opens no scope.")
        }
        guard call.stream == nil else { return .invalidArgument("A call within another one does not stream.") }
        guard enclosing.inner < limits.callsWithinScope else {
            return .resourceExhausted("\(limits.callsWithinScope) calls are in flight within call \(scope) already.")
        }
        return nil
    }

    mutating func grant(_ more: Int, to id: CallID) throws(ProtocolViolation) -> Action {
        // It may have crossed the call's terminal.
        guard let call = calls[id] else { return try mayBeLate(id) }
        guard var stream = call.stream else {
            throw ProtocolViolation(.creditExceeded, "credit for call \(id), which does not stream")
        }
        stream.credit += more
        guard stream.credit <= limits.credit else {
            throw ProtocolViolation(.creditExceeded, "more than \(limits.credit) items of credit for call \(id)")
        }
        calls[id]?.stream = stream
        return .creditArrived(id)
    }

    mutating func cancel(_ id: CallID, reason: String) throws(ProtocolViolation) -> Action {
        calls[id] == nil ? try mayBeLate(id) : .cancel(id, reason: reason)
    }

    private func mayBeLate(_ id: CallID) throws(ProtocolViolation) -> Action {
        guard id <= lastID else { throw ProtocolViolation(.unknownID, "id \(id) has never been used") }
        return .nothing
    }

    /// The call's terminal is being sent. Returns what an `end` counts: the items sent, nil for a call without stream.
    @discardableResult
    public mutating func answered(_ id: CallID) -> Int? {
        guard let call = calls.removeValue(forKey: id) else { return nil }
        if let scope = call.within {
            inner -= 1
            calls[scope]?.inner -= 1
        }
        guard let stream = call.stream else { return nil }
        streamsOpen -= 1
        return stream.sent
    }

    /// Spends one item's credit. Returns the item's sequence number, or nil: then it has to wait for credit.
    public mutating func nextItem(of id: CallID) -> Int? {
        guard var stream = calls[id]?.stream, stream.credit > 0 else { return nil }
        let sequence = stream.sent
        stream.credit -= 1
        stream.sent += 1
        calls[id]?.stream = stream
        return sequence
    }

    /// Whether an item of the call could be sent now.
    public func hasCredit(_ id: CallID) -> Bool {
        calls[id]?.stream.map { $0.credit > 0 } ?? false
    }
}
