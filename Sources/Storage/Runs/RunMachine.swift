import Contract

/// The states of a run, as `protocol/runs.md` draws them: an event in, the new state and what follows from it out. Pure;
/// the statements of this folder carry it out in Postgres, and a test holds them to it, pair by pair.
struct RunMachine: Sendable, Equatable {
    /// What a holder of a lease names with all it writes.
    struct Lease: Sendable, Hashable {
        var runner: String
        var attempt: Int
    }

    /// What can happen to a run that was accepted.
    enum Event: Sendable, Hashable {
        /// Its time has come; whether there is room in its lane.
        case fallDue(hasTurn: Bool)
        /// Another run of its lane has ended.
        case turn
        case claim(runner: String)
        /// Events from the number `first` on.
        case append(Lease, first: Int, count: Int)
        /// The same, the last of them `finished`.
        case finish(Lease, first: Int, count: Int, RunState)
        case drain(Lease)
        /// It cannot go on before a person has decided; or can, when they have meanwhile.
        case await(Lease, isPending: Bool)
        /// A person has decided, or had time enough.
        case decide
        /// Its attempt failed by something that may pass; whether there is time for another.
        case fail(Lease, hasTime: Bool)
        /// The same, since its provider is left alone: that was none of its tries, for four minutes on end.
        case hold(Lease, hasTime: Bool)
        /// The runner that holds it is gone.
        case lose
        case cancel
        case expire
    }

    /// What follows from an event, beside the new state.
    enum Action: Sendable, Hashable {
        /// Events up to this number are there: followers are shown them.
        case show(upTo: Int)
        /// Storage itself writes the last event, of this number.
        case conclude(event: Int)
        /// There is something to claim.
        case offer
        /// The runner is told to stop its work.
        case stop(Lease)
        /// The next run of its lane has its turn.
        case passTurn
    }

    /// Why an event changes nothing.
    enum Refusal: Error, Equatable {
        /// Not in this state.
        case state(RunState)
        /// The lease is another's, or nobody's.
        case lease
        /// Events are missing before these: `next` is the number of the next one.
        case gap(next: Int)
    }

    private(set) var state: RunState
    /// The number of the latest lease; 0 before the first.
    private(set) var attempt = 0
    /// How many of its attempts failed, were held or were lost.
    private(set) var failures = 0
    /// How many of them were held, and none of its tries.
    private(set) var holds = 0
    /// With so many failures it ends.
    let tries: Int
    /// Who holds it.
    private(set) var runner: String?
    /// The number of the last event.
    private(set) var events = 0
    /// Whether it holds a place in its lane; always false without one.
    private(set) var hasTurn = false
    let hasLane: Bool
    /// Whether it waits for a person, and not for its turn.
    private(set) var isAwaiting = false

    /// A run accepted for later. `isDue`: there is no delay; `laneHasRoom`: nobody goes first.
    static func enqueued(isDue: Bool, hasLane: Bool = false, laneHasRoom: Bool = true, tries: Int = 5) -> RunMachine {
        var run = RunMachine(state: .scheduled, tries: tries, hasLane: hasLane)
        if isDue { run.queue(hasRoom: laneHasRoom) }
        return run
    }

    /// A run a reader waits for: leased with its first event.
    static func opened(by runner: String, tries: Int = 5) -> RunMachine {
        var run = RunMachine(state: .running, tries: tries, hasLane: false)
        (run.attempt, run.runner, run.events) = (1, runner, 1)
        return run
    }

    private init(state: RunState, tries: Int, hasLane: Bool) {
        self.state = state
        self.tries = tries
        self.hasLane = hasLane
    }

    /// The lease as it stands.
    var lease: Lease? { runner.map { Lease(runner: $0, attempt: attempt) } }

    /// Takes an event. A refusal leaves everything as it was.
    mutating func take(_ event: Event) throws(Refusal) -> [Action] {
        switch event {
        case .fallDue(let hasRoom):
            try expect(.scheduled)
            queue(hasRoom: hasRoom)
            return state == .queued ? [.offer] : []
        case .turn:
            try expect(.waiting)
            guard !isAwaiting else { throw .state(state) }
            queue(hasRoom: true)
            return [.offer]
        case .claim(let runner):
            try expect(.queued)
            (state, attempt, self.runner) = (.running, attempt + 1, runner)
            return []
        case .append(let lease, let first, let count):
            try hold(lease)
            try store(first, count)
            return [.show(upTo: events)]
        case .finish(let lease, let first, let count, let outcome):
            try hold(lease)
            try store(first, count)
            return end(outcome) + [.show(upTo: events)]
        case .drain(let lease):
            try hold(lease)
            return giveBack(.queued)
        case .await(let lease, let isPending):
            try hold(lease)
            isAwaiting = isPending
            return giveBack(isPending ? .waiting : .queued) + (isPending ? tell() : [])
        case .decide:
            guard isAwaiting else { throw .state(state) }
            isAwaiting = false
            state = .queued
            return tell() + [.offer]
        case .fail(let lease, let hasTime): return try fail(lease, hasTime)
        case .hold(let lease, let hasTime):
            try hold(lease)
            holds += 1
            return try fail(lease, hasTime)
        case .lose:
            try expect(.running)
            return try countFailure(otherwise: .queued)
        case .cancel: return try conclude(.cancelled)
        case .expire: return try conclude(.failed)
        }
    }

    // MARK: Steps

    private func expect(_ expected: RunState) throws(Refusal) {
        guard state == expected else { throw .state(state) }
    }

    private func hold(_ lease: Lease) throws(Refusal) {
        guard state == .running, lease == self.lease else { throw .lease }
    }

    /// What is stored already may be sent again.
    private mutating func store(_ first: Int, _ count: Int) throws(Refusal) {
        guard first <= events + 1 else { throw .gap(next: events + 1) }
        events = max(events, first + count - 1)
    }

    private mutating func queue(hasRoom: Bool) {
        hasTurn = hasLane && (hasTurn || hasRoom)
        state = hasLane && !hasTurn ? .waiting : .queued
    }

    private mutating func giveBack(_ next: RunState) -> [Action] {
        runner = nil
        state = next
        return next == .queued ? [.offer] : []
    }

    /// Storage itself writes an event, while nobody else does.
    private mutating func tell() -> [Action] {
        events += 1
        return [.show(upTo: events)]
    }

    private mutating func fail(_ lease: Lease, _ hasTime: Bool) throws(Refusal) -> [Action] {
        try hold(lease)
        guard hasTime else { return try conclude(.failed) }
        let actions = try countFailure(otherwise: .scheduled)
        return actions + (state == .scheduled ? tell() : [])
    }

    private mutating func countFailure(otherwise next: RunState) throws(Refusal) -> [Action] {
        failures += 1
        return failures - holds >= tries ? try conclude(.failed) : giveBack(next)
    }

    private mutating func conclude(_ outcome: RunState) throws(Refusal) -> [Action] {
        guard !state.isTerminal else { throw .state(state) }
        let stop = lease.map { [Action.stop($0)] } ?? []
        events += 1
        return [.conclude(event: events)] + end(outcome) + stop + [.show(upTo: events)]
    }

    private mutating func end(_ outcome: RunState) -> [Action] {
        let passesTurn = hasTurn
        (state, runner, hasTurn, isAwaiting) = (outcome, nil, false, false)
        return passesTurn ? [.passTurn] : []
    }
}
