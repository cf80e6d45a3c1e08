import DequeModule

/// Decides which reads travel together, and does nothing itself: events in, actions out.
///
/// A lane is one connection, and has at most one batch under way. What arrives meanwhile gathers, and goes out as the
/// next batch of the lane that becomes free first: the busier it is the larger the batches are, without a timer. Reads
/// are served in the order they came.
///
/// A read that turns out slow, or whose lane fails, is diverted: its caller runs it on an ordinary connection. It only
/// reads, so running it twice does no harm.
struct SharedReadMachine {
    typealias Instant = ContinuousClock.Instant
    typealias LaneID = Int
    typealias ReadID = Int

    struct Read {
        let id: ReadID
        let query: Query
        let deadline: Instant
    }

    /// What goes out together.
    struct Batch {
        let reads: [Read]
        /// Whether these were in a batch already in which another one failed: now each has a sync of its own.
        let isRepeated: Bool
    }

    enum Turn {
        case send(Batch)
        /// Nothing to do until the lane is woken.
        case rest
        /// No more, ever.
        case end
    }

    /// What became of one read of a batch.
    enum Verdict {
        case answered
        /// The server ended it at the time limit of the lane.
        case slow
        /// It was not run, or has to be prepared anew.
        case again
    }

    enum Action: Equatable {
        case wake(LaneID)
        /// The outcome at this place of the batch is the read's answer.
        case deliver(ReadID, place: Int)
        case divert(ReadID)
        case fail(ReadID, Refusal)
    }

    enum Refusal: Equatable {
        case exhausted
        case timedOut
        case closed
    }

    private enum Lane {
        /// Nobody serves it yet.
        case absent
        case resting
        case woken
        case busy(Batch)
    }

    /// Below this a second lane is not woken: two small batches cost the server more than one.
    static let smallestShare = 8
    /// So that one failing statement sends few others a second time, and a caller waits for few others.
    static let largestBatch = 256
    /// The server takes in a batch before its answers are read; much more than a socket holds only adds delay.
    static let largestBatchBytes = 1 << 20

    private let maximumWaiting: Int
    private var lanes: [Lane]
    /// May hold reads that were given up; `live` tells.
    private var waiting: Deque<Read> = []
    private var repeats: [LaneID: [Read]] = [:]
    /// Those that have not been answered.
    private var live: Set<ReadID> = []
    /// How many of `waiting` are live.
    private(set) var waitingCount = 0
    /// How many entries the queue has, with those that were given up.
    var queueLength: Int { waiting.count }
    private var deadlines = DeadlineHeap<ReadID>()
    private var slow = SlowStatements()
    private(set) var isStopped = false

    init(lanes: Int, maximumWaiting: Int) {
        self.lanes = Array(repeating: .absent, count: lanes)
        self.maximumWaiting = maximumWaiting
    }

    // MARK: Callers

    mutating func add(_ read: Read, now: Instant) -> [Action] {
        guard !isStopped else { return [.fail(read.id, .closed)] }
        if slow.contains(read.query.sql, now: now) { return [.divert(read.id)] }
        guard waitingCount < maximumWaiting else { return [.fail(read.id, .exhausted)] }
        waiting.append(read)
        waitingCount += 1
        live.insert(read.id)
        deadlines.set(read.id, read.deadline)
        return wakeLane()
    }

    /// The caller waits no longer. False when it has been answered. A read under way goes on, and nobody gets its rows.
    mutating func giveUp(_ id: ReadID) -> Bool {
        guard live.contains(id) else { return false }
        retire(id)
        countWaiting(without: id)
        return true
    }

    /// When `timerFired` is to be called next.
    var nextTimer: Instant? { deadlines.earliest }

    mutating func timerFired(now: Instant) -> [Action] {
        var actions: [Action] = []
        while let id = deadlines.popExpired(at: now) {
            actions.append(.fail(id, .timedOut))
            retire(id)
            countWaiting(without: id)
        }
        return actions
    }

    // MARK: Lanes

    /// A lane is free and asks what to do.
    mutating func take(_ lane: LaneID) -> Turn {
        if let repeated = repeats.removeValue(forKey: lane)?.filter({ live.contains($0.id) }), !repeated.isEmpty {
            return send(repeated, isRepeated: true, on: lane)
        }
        guard !isStopped else { return .end }
        let reads = takeShare(besides: lane)
        guard !reads.isEmpty else {
            lanes[lane] = .resting
            return .rest
        }
        return send(reads, isRepeated: false, on: lane)
    }

    /// A lane's batch came back: a verdict for each of its reads.
    mutating func finished(_ lane: LaneID, _ verdicts: [Verdict], now: Instant) -> [Action] {
        guard case .busy(let batch) = lanes[lane] else { return [] }
        lanes[lane] = .woken
        // First, so that none of the same text is sent again to be just as slow.
        for (read, verdict) in zip(batch.reads, verdicts) where verdict == .slow {
            slow.insert(read.query.sql, now: now)
        }
        var actions: [Action] = []
        for (place, (read, verdict)) in zip(batch.reads, verdicts).enumerated() where live.contains(read.id) {
            let isDiverted = batch.isRepeated || slow.contains(read.query.sql, now: now)
            if verdict == .answered {
                actions.append(.deliver(read.id, place: place))
            } else if verdict == .slow || isDiverted {
                actions.append(.divert(read.id))
            } else {
                repeats[lane, default: []].append(read)
                continue
            }
            retire(read.id)
        }
        return actions
    }

    /// A lane could not connect, or lost its connection under a batch.
    mutating func failed(_ lane: LaneID) -> [Action] {
        guard case .busy(let batch) = lanes[lane] else { return [] }
        lanes[lane] = .woken
        return batch.reads.filter { live.contains($0.id) }.map { read in
            retire(read.id)
            return .divert(read.id)
        }
    }

    /// No further reads. Batches under way are finished, unless they are broken off.
    mutating func stop(breakingOff: Bool) -> [Action] {
        isStopped = true
        let dropped = breakingOff ? Array(live) : waiting.map(\.id).filter { live.contains($0) }
        dropped.forEach { retire($0) }
        waiting.removeAll()
        waitingCount = 0
        var actions = dropped.sorted().map { Action.fail($0, .closed) }
        for (lane, state) in lanes.enumerated() {
            if case .resting = state { actions.append(.wake(lane)) }
        }
        return actions
    }
}

extension SharedReadMachine {
    private mutating func send(_ reads: [Read], isRepeated: Bool, on lane: LaneID) -> Turn {
        let batch = Batch(reads: reads, isRepeated: isRepeated)
        lanes[lane] = .busy(batch)
        return .send(batch)
    }

    /// Its part of what waits: all of it for the only free lane, else so that each free lane gets as much.
    private mutating func takeShare(besides lane: LaneID) -> [Read] {
        var free = 1
        for (other, state) in lanes.enumerated() where other != lane {
            switch state {
            case .resting, .woken: free += 1
            case .absent, .busy: break
            }
        }
        let share = min(max(Self.smallestShare, (waitingCount + free - 1) / free), Self.largestBatch)
        var reads: [Read] = []
        var bytes = 0
        while reads.count < share, bytes < Self.largestBatchBytes, let read = waiting.popFirst() {
            guard live.contains(read.id) else { continue }
            bytes += read.query.parameters.byteCount
            reads.append(read)
            waitingCount -= 1
        }
        return reads
    }

    /// Wakes one more lane when those that are about to look have enough to do.
    private mutating func wakeLane() -> [Action] {
        var woken = 0
        var resting: LaneID?
        for (lane, state) in lanes.enumerated() {
            if case .woken = state { woken += 1 }
            if case .resting = state, resting == nil { resting = lane }
        }
        guard let resting, waitingCount > woken * Self.smallestShare else { return [] }
        lanes[resting] = .woken
        return [.wake(resting)]
    }

    private mutating func retire(_ id: ReadID) {
        live.remove(id)
        deadlines.remove(id)
    }

    /// Ids grow with time, so those that wait lie between the first and the last of the queue.
    private mutating func countWaiting(without id: ReadID) {
        guard let first = waiting.first, id >= first.id else { return }
        waitingCount -= 1
        // What was given up is taken out now and then, for the queue would grow while no lane takes anything.
        if waiting.count > 2 * waitingCount + Self.largestBatch {
            waiting.removeAll { !live.contains($0.id) }
        }
    }
}
