/// What becomes of connections.
extension PoolStateMachine {
    /// A connection was opened.
    mutating func opened(_ id: ConnectionID, now: Instant) -> [Action] {
        guard case .opening = connections[id] else { return [] }
        availability = .up
        let lifetime = configuration.maximumLifetime * jitter.next(in: 0.9...1.1)
        return makeIdle(id, expires: now + lifetime, now: now) + openForWaiters()
    }

    /// A connection could not be opened.
    mutating func openingFailed(_ id: ConnectionID, now: Instant) -> [Action] {
        connections[id] = nil
        if isStopped { return finishIfEmpty() }
        switch availability {
        // Several openings that were under way together fail together; that is one failure.
        case .down(_, .some): break
        case .down(let failures, nil): wait(after: failures + 1, now: now)
        case .starting, .up: wait(after: 1, now: now)
        }
        return refuseUnlessServing()
    }

    /// A connection has settled, or could not and was closed.
    mutating func settled(_ id: ConnectionID, isUsable: Bool, now: Instant) -> [Action] {
        guard case .settling(let expires) = connections[id] else { return [] }
        return isUsable ? makeIdle(id, expires: expires, now: now) : lose(id)
    }

    /// The server ended a connection. One that is lent tells by itself when it is returned.
    mutating func died(_ id: ConnectionID) -> [Action] {
        guard case .idle = connections[id] else { return [] }
        idle.removeAll { $0 == id }
        return lose(id)
    }

    /// A connection that was to be closed is.
    mutating func closed(_ id: ConnectionID) -> [Action] {
        connections[id] = nil
        return isStopped ? finishIfEmpty() : openForWaiters()
    }
}
