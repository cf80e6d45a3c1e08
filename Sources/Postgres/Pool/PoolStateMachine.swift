import DequeModule

/// Decides what a pool does, and does nothing itself: events in, actions out.
///
/// A connection goes  opening → idle ⇄ busy → settling → idle,  and from each of them to closing and out.
/// The pool is up until a connection cannot be opened; then it is down, one opening at a time probes with growing
/// pauses, and whoever would have to wait for a new connection is refused at once. The first success brings it up.
struct PoolStateMachine {
    typealias Instant = ContinuousClock.Instant
    typealias ConnectionID = Int
    typealias WaiterID = Int

    enum Action: Equatable {
        case open(ConnectionID)
        case settle(ConnectionID)
        case close(ConnectionID)
        case lend(ConnectionID, to: WaiterID)
        case fail(WaiterID, Refusal)
        /// The pool has been stopped and its last connection is gone.
        case finish
    }

    enum Refusal: Equatable {
        /// Postgres is away.
        case unavailable
        /// Too many wait already, or no connection was returned in time.
        case exhausted
        /// The caller's own deadline passed first.
        case timedOut
        case closed
    }

    enum Connection: Equatable {
        case opening
        case idle(expires: Instant)
        case busy(expires: Instant)
        case settling(expires: Instant)
        case closing
    }

    struct Waiter {
        let id: WaiterID
        let deadline: Instant
        /// Whether the deadline is the caller's own and not the pool's limit.
        let isOwn: Bool
    }

    enum Availability: Equatable {
        /// Nothing has been tried yet.
        case starting
        case up
        /// `retryAt` is nil while a probe is under way.
        case down(failures: Int, retryAt: Instant?)
    }

    let configuration: PoolConfiguration
    var connections: [ConnectionID: Connection] = [:]
    /// The idle ones, the most recently used last: it is lent first, since its backend's memory is warm.
    var idle: [ConnectionID] = []
    var waiters: Deque<Waiter> = []
    var availability = Availability.starting
    var isStopped = false
    private var nextID = 0
    private var jitter: Jitter

    init(_ configuration: PoolConfiguration, seed: UInt64) {
        self.configuration = configuration
        jitter = Jitter(state: seed)
    }

    // MARK: Callers

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
        actions += openForWaiters()
        return actions
    }

    /// A waiting task was cancelled. False when it no longer waits: it has been answered.
    mutating func cancel(_ id: WaiterID) -> Bool {
        guard let index = waiters.firstIndex(where: { $0.id == id }) else { return false }
        waiters.remove(at: index)
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

    // MARK: Connections

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

    // MARK: The pool

    /// The pool begins to run: opens one connection, so that it is known whether Postgres is there.
    mutating func started() -> [Action] {
        connections.isEmpty && !isStopped ? [open()] : []
    }

    /// When `timerFired` is to be called next.
    var nextTimer: Instant? {
        guard !isStopped else { return nil }
        var next: Instant? = if case .down(_, let retryAt) = availability { retryAt } else { nil }
        for waiter in waiters { next = min(next ?? waiter.deadline, waiter.deadline) }
        for case .idle(let expires) in connections.values { next = min(next ?? expires, expires) }
        return next
    }

    mutating func timerFired(now: Instant) -> [Action] {
        guard !isStopped else { return [] }
        var actions = closeExpired(now)
        for waiter in waiters where waiter.deadline <= now {
            actions.append(.fail(waiter.id, waiter.isOwn ? .timedOut : hasUsable ? .exhausted : .unavailable))
        }
        waiters.removeAll { $0.deadline <= now }
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
        var actions = waiters.map { Action.fail($0.id, .closed) }
        waiters.removeAll()
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

extension PoolStateMachine {
    /// Whether there is a connection that is lent or about to be usable again.
    fileprivate var hasUsable: Bool {
        connections.values.contains { connection in
            switch connection {
            case .idle, .busy, .settling: true
            case .opening, .closing: false
            }
        }
    }

    /// Whether it makes sense to wait.
    fileprivate var mayServe: Bool {
        if case .down = availability { hasUsable } else { true }
    }

    fileprivate mutating func open() -> Action {
        nextID += 1
        connections[nextID] = .opening
        return .open(nextID)
    }

    /// Opens as many as are waited for, within the size. While the pool is down only the probe opens.
    fileprivate mutating func openForWaiters() -> [Action] {
        if case .down = availability { return [] }
        var actions: [Action] = []
        var opening = connections.values.count { $0 == .opening }
        while opening < waiters.count, connections.count < configuration.size {
            actions.append(open())
            opening += 1
        }
        return actions
    }

    fileprivate mutating func makeIdle(_ id: ConnectionID, expires: Instant, now: Instant) -> [Action] {
        guard !isStopped, expires > now else {
            connections[id] = .closing
            return [.close(id)]
        }
        guard let waiter = waiters.popFirst() else {
            connections[id] = .idle(expires: expires)
            idle.append(id)
            return []
        }
        connections[id] = .busy(expires: expires)
        return [.lend(id, to: waiter.id)]
    }

    /// A connection is gone. If it was the last, another is opened at once, so that the pool knows how Postgres is.
    fileprivate mutating func lose(_ id: ConnectionID) -> [Action] {
        connections[id] = nil
        if isStopped { return finishIfEmpty() }
        let actions = openForWaiters() + refuseUnlessServing()
        if case .down = availability { return actions }
        return connections.isEmpty ? actions + [open()] : actions
    }

    fileprivate mutating func closeExpired(_ now: Instant) -> [Action] {
        let expired = idle.filter { id in
            if case .idle(let expires) = connections[id] { expires <= now } else { false }
        }
        idle.removeAll { expired.contains($0) }
        for id in expired { connections[id] = .closing }
        return expired.map { .close($0) }
    }

    fileprivate mutating func refuseUnlessServing() -> [Action] {
        guard !mayServe else { return [] }
        defer { waiters.removeAll() }
        return waiters.map { .fail($0.id, .unavailable) }
    }

    fileprivate func finishIfEmpty() -> [Action] {
        isStopped && connections.isEmpty ? [.finish] : []
    }

    /// Doubles the pause with each failure up to the longest, and takes between half and all of it by chance, so that
    /// many processes do not come back together.
    fileprivate mutating func wait(after failures: Int, now: Instant) {
        let doublings = Double(1 << min(failures - 1, 20))
        let pause = min(configuration.shortestPause * doublings, configuration.longestPause)
        availability = .down(failures: failures, retryAt: now + pause * jitter.next(in: 0.5...1))
    }
}

/// Chance that a test can repeat: SplitMix64 from a seed.
struct Jitter {
    var state: UInt64

    mutating func next(in range: ClosedRange<Double>) -> Double {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        let unit = Double((mixed ^ (mixed >> 31)) >> 11) / Double(1 << 53)
        return range.lowerBound + unit * (range.upperBound - range.lowerBound)
    }
}
