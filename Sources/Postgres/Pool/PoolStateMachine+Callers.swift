import DequeModule

/// What callers do.
extension PoolStateMachine {
    /// A task wants a connection.
    mutating func lease(_ waiter: Waiter, now: Instant) -> [Action] {
        guard !isStopped else { return [.fail(waiter.id, .closed)] }
        var actions = closeExpired(now)
        if let id = idle.popLast(), case .idle(let expires) = connections[id] {
            connections[id] = .busy(expires: expires)
            return actions + [.lend(id, to: waiter.id)]
        }
        guard mayServe else { return actions + [.fail(waiter.id, .unavailable)] }
        guard waiters.count < configuration.maximumWaiters else { return actions + [.fail(waiter.id, .exhausted)] }
        waiters.append(waiter)
        deadlines.set(waiter.id, waiter.deadline)
        actions += openForWaiters()
        return actions
    }

    /// A waiting task was cancelled. False when it no longer waits: it has been answered.
    mutating func cancel(_ id: WaiterID) -> Bool {
        guard let index = waiters.firstIndex(where: { $0.id == id }) else { return false }
        waiters.remove(at: index)
        deadlines.remove(id)
        return true
    }

    /// A task returns its connection.
    mutating func giveBack(_ id: ConnectionID, _ condition: PostgresConnection.Condition, now: Instant) -> [Action] {
        guard case .busy(let expires) = connections[id] else { return [] }
        switch condition {
        case .unsettled where isStopped:
            connections[id] = .closing
            return [.close(id)]
        case .clean: return makeIdle(id, expires: expires, now: now)
        case .unsettled:
            connections[id] = .settling(expires: expires)
            return [.settle(id)]
        case .closed: return lose(id)
        }
    }
}
