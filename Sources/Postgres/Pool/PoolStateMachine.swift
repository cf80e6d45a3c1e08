import DequeModule

/// Decides what a pool does, and does nothing itself: events in, actions out.
///
/// A connection goes  opening → idle ⇄ busy → settling → idle,  and from each of them to closing and out.
/// The pool is up until a connection cannot be opened; then it is down, one opening at a time probes with growing
/// pauses, and whoever would have to wait for a new connection is refused at once. The first success brings it up.
///
/// Its events are in three files: callers, connections, and the pool as a whole.
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
    /// Of those who wait: to look through thousands of them at each step would take longer than all the rest.
    var deadlines = DeadlineHeap<WaiterID>()
    var availability = Availability.starting
    var isStopped = false
    var nextID = 0
    var jitter: Jitter

    init(_ configuration: PoolConfiguration, seed: UInt64) {
        self.configuration = configuration
        jitter = Jitter(state: seed)
    }
}

extension PoolStateMachine {
    /// Whether there is a connection that is lent or about to be usable again.
    var hasUsable: Bool {
        connections.values.contains { connection in
            switch connection {
            case .idle, .busy, .settling: true
            case .opening, .closing: false
            }
        }
    }

    /// Whether it makes sense to wait.
    var mayServe: Bool {
        if case .down = availability { hasUsable } else { true }
    }

    mutating func open() -> Action {
        nextID += 1
        connections[nextID] = .opening
        return .open(nextID)
    }

    /// Opens as many as are waited for, within the size. While the pool is down only the probe opens.
    mutating func openForWaiters() -> [Action] {
        if case .down = availability { return [] }
        var actions: [Action] = []
        var opening = connections.values.count { $0 == .opening }
        while opening < waiters.count, connections.count < configuration.size {
            actions.append(open())
            opening += 1
        }
        return actions
    }

    mutating func makeIdle(_ id: ConnectionID, expires: Instant, now: Instant) -> [Action] {
        guard !isStopped, expires > now else {
            connections[id] = .closing
            return [.close(id)]
        }
        guard let waiter = waiters.popFirst() else {
            connections[id] = .idle(expires: expires)
            idle.append(id)
            return []
        }
        deadlines.remove(waiter.id)
        connections[id] = .busy(expires: expires)
        return [.lend(id, to: waiter.id)]
    }

    /// A connection is gone. If it was the last, another is opened at once, so that the pool knows how Postgres is.
    mutating func lose(_ id: ConnectionID) -> [Action] {
        connections[id] = nil
        if isStopped { return finishIfEmpty() }
        let actions = openForWaiters() + refuseUnlessServing()
        if case .down = availability { return actions }
        return connections.isEmpty ? actions + [open()] : actions
    }

    mutating func closeExpired(_ now: Instant) -> [Action] {
        let expired = idle.filter { id in
            if case .idle(let expires) = connections[id] { expires <= now } else { false }
        }
        idle.removeAll { expired.contains($0) }
        for id in expired { connections[id] = .closing }
        return expired.map { .close($0) }
    }

    mutating func refuseUnlessServing() -> [Action] {
        guard !mayServe else { return [] }
        return failWaiters(.unavailable)
    }

    /// Nobody waits any more.
    mutating func failWaiters(_ refusal: Refusal) -> [Action] {
        let actions = waiters.map { Action.fail($0.id, refusal) }
        waiters.removeAll()
        deadlines = DeadlineHeap()
        return actions
    }

    func finishIfEmpty() -> [Action] {
        isStopped && connections.isEmpty ? [.finish] : []
    }

    /// Doubles the pause with each failure up to the longest, and takes between half and all of it by chance, so that
    /// many processes do not come back together.
    mutating func wait(after failures: Int, now: Instant) {
        let doublings = Double(1 << min(failures - 1, 20))
        let pause = min(configuration.shortestPause * doublings, configuration.longestPause)
        availability = .down(failures: failures, retryAt: now + pause * jitter.next(in: 0.5...1))
    }
}
