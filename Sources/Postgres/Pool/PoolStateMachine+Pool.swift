import DequeModule

/// What happens to the pool as a whole.
extension PoolStateMachine {
    /// The pool begins to run: opens one connection, so that it is known whether Postgres is there.
    mutating func started() -> [Action] {
        connections.isEmpty && !isStopped ? [open()] : []
    }

    /// When `timerFired` is to be called next.
    var nextTimer: Instant? {
        guard !isStopped else { return nil }
        var next: Instant? = if case .down(_, let retryAt) = availability { retryAt } else { nil }
        if let deadline = deadlines.earliest { next = min(next ?? deadline, deadline) }
        for id in idle {
            guard case .idle(let expires) = connections[id] else { continue }
            next = min(next ?? expires, expires)
        }
        return next
    }

    mutating func timerFired(now: Instant) -> [Action] {
        guard !isStopped else { return [] }
        var actions = closeExpired(now)
        if let deadline = deadlines.earliest, deadline <= now {
            for waiter in waiters where waiter.deadline <= now {
                deadlines.remove(waiter.id)
                actions.append(.fail(waiter.id, waiter.isOwn ? .timedOut : hasUsable ? .exhausted : .unavailable))
            }
            waiters.removeAll { $0.deadline <= now }
        }
        if case .down(let failures, let retryAt?) = availability, retryAt <= now {
            // No room for a probe means that as many connections as allowed are there.
            let hasRoom = connections.count < configuration.size
            availability = hasRoom ? .down(failures: failures, retryAt: nil) : .up
            if hasRoom { actions.append(open()) }
        }
        return actions
    }

    /// No further leases; idle connections close now, lent ones when they are returned or, if they are to be broken off,
    /// now as well.
    mutating func stop(breakingOff: Bool) -> [Action] {
        var actions = failWaiters(.closed)
        idle.removeAll()
        isStopped = true
        for (id, connection) in connections.sorted(by: { $0.key < $1.key }) {
            switch connection {
            case .idle:
                connections[id] = .closing
                actions.append(.close(id))
            // Stays as it is: whoever uses it finds it closed and gives it back.
            case .busy, .settling: if breakingOff { actions.append(.close(id)) }
            case .opening, .closing: break
            }
        }
        return actions + finishIfEmpty()
    }
}
