import Logging
import Synchronization

/// The connections that carry reads of many callers at a time; see `ConnectionPool.read`.
///
/// Each lane is one task on the reactor, and so its own connection's only user.
final class SharedReads: Sendable {
    typealias Machine = SharedReadMachine
    typealias Instant = ContinuousClock.Instant

    /// What a caller is told.
    enum Answer {
        case rows(Rows)
        case failed(PostgresError)
        /// To run it on an ordinary connection.
        case diverted
    }

    private struct State {
        var machine: Machine
        var callers: [Machine.ReadID: CheckedContinuation<Answer, Never>] = [:]
        var resting: [Machine.LaneID: CheckedContinuation<Machine.Turn, Never>] = [:]
        var connections: [Machine.LaneID: PostgresConnection] = [:]
        var lastID = 0
        /// When the reactor will call; later timers are not announced to it before.
        var timer: Instant?
    }

    private enum Effect {
        case wake(CheckedContinuation<Machine.Turn, Never>)
        case answer(CheckedContinuation<Answer, Never>, Answer)
        case schedule(Instant)
    }

    let lanes: Int
    private let configuration: PostgresConfiguration
    private let lifetime: Duration
    private let reactor: Reactor
    private let logger: Logger
    private let state: Mutex<State>
    private let timerID = Reactor.newTimer()

    /// After a lane could not connect: meanwhile its reads are diverted, and the pool finds out how Postgres is.
    private static let pause: Duration = .seconds(1)

    init(_ configuration: PostgresConfiguration, _ limits: PoolConfiguration, _ reactor: Reactor, _ logger: Logger) {
        lanes = max(1, min(limits.readConnections, PoolConfiguration.maximumReadConnections))
        self.configuration = configuration.forSharedReads(timeout: limits.slowRead)
        lifetime = limits.maximumLifetime
        self.reactor = reactor
        self.logger = logger
        state = Mutex(State(machine: Machine(lanes: lanes, maximumWaiting: limits.maximumWaitingReads)))
    }

    // MARK: Callers

    func read(_ query: Query, until deadline: Instant) async -> Answer {
        let id = Shared(0)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Answer, Never>) in
                step { state, now in
                    state.lastID += 1
                    id.value.store(state.lastID, ordering: .relaxed)
                    state.callers[state.lastID] = continuation
                    let read = Machine.Read(id: state.lastID, query: query, deadline: deadline)
                    return state.machine.add(read, now: now)
                }
                // The handler below may have run already, and found nobody waiting.
                if Task.isCancelled { giveUp(id.value.load(ordering: .relaxed)) }
            }
        } onCancel: {
            giveUp(id.value.load(ordering: .relaxed))
        }
    }

    /// The id of a read, which its cancellation handler shares with it.
    private final class Shared: Sendable {
        let value: Atomic<Int>

        init(_ value: Int) {
            self.value = Atomic(value)
        }
    }

    private func giveUp(_ id: Machine.ReadID) {
        let caller = state.withLock { state in
            state.machine.giveUp(id) ? state.callers.removeValue(forKey: id) : nil
        }
        caller?.resume(returning: .failed(PostgresError(.cancelled, "the task was cancelled")))
    }

    /// How many wait for a lane.
    var waiting: Int { state.withLock { $0.machine.waitingCount } }

    // MARK: Lanes

    /// Serves one lane until the reads are stopped. Runs on the reactor.
    ///
    /// - Parameter isDown: Whether the pool knows that Postgres is away; then nothing is tried.
    func serve(_ lane: Machine.LaneID, unless isDown: @Sendable () -> Bool) async {
        var connection: PostgresConnection?
        var expires = Instant.now
        var pausedUntil = Instant.now
        while let batch = await nextBatch(lane) {
            if connection?.condition != .clean || expires <= .now {
                await connection?.close()
                connection = nil
                if pausedUntil <= .now, !isDown() { connection = await connect(lane) }
                pausedUntil = connection == nil ? max(pausedUntil, .now + Self.pause) : .now
                expires = .now + lifetime
            }
            guard let connection else {
                step { state, _ in state.machine.failed(lane) }
                continue
            }
            await carryOut(batch, lane, on: connection)
        }
        state.withLock { $0.connections[lane] = nil }
        await connection?.close()
    }

    private func connect(_ lane: Machine.LaneID) async -> PostgresConnection? {
        // Why it fails is found out by the pool, to which these reads go instead.
        let connection = try? await PostgresConnection.connect(configuration, on: reactor, logger: logger)
        guard let connection else { return nil }
        state.withLock { $0.connections[lane] = connection }
        return connection
    }

    private func carryOut(_ batch: Machine.Batch, _ lane: Machine.LaneID, on connection: PostgresConnection) async {
        let outcomes: [PostgresConnection.ReadOutcome]
        do throws(PostgresError) {
            let end = ContinuousClock.now + configuration.operationTimeout
            let reads = batch.reads.map(\.query)
            if batch.isRepeated {
                outcomes = try await connection.read(reads, isRepeated: true, until: end)
            } else {
                let keyed = KeyedReads(reads)
                outcomes = keyed.outcomes(of: try await connection.read(keyed.queries, isRepeated: false, until: end))
            }
        } catch {
            await connection.close()
            step { state, _ in state.machine.failed(lane) }
            return
        }
        step(outcomes) { state, now in
            state.machine.finished(lane, outcomes.map(\.verdict), now: now)
        }
    }

    private func nextBatch(_ lane: Machine.LaneID) async -> Machine.Batch? {
        while true {
            let turn = await withCheckedContinuation { (continuation: CheckedContinuation<Machine.Turn, Never>) in
                let turn = state.withLock { state in
                    let turn = state.machine.take(lane)
                    if case .rest = turn { state.resting[lane] = continuation }
                    return turn
                }
                if case .rest = turn { return }
                continuation.resume(returning: turn)
            }
            switch turn {
            case .send(let batch): return batch
            case .rest: continue
            case .end: return nil
            }
        }
    }

    /// Ends the reads: those that wait at once, and those under way when they are finished or broken off.
    func stop(breakingOff: Bool) {
        step { state, _ in state.machine.stop(breakingOff: breakingOff) }
        guard breakingOff else { return }
        for connection in state.withLock({ Array($0.connections.values) }) {
            reactor.submit { connection.assumeIsolated { $0.close() } }
        }
    }

    // MARK: Steps

    /// Tells the machine of an event and carries out what it says, outside the lock.
    private func step(
        _ outcomes: [PostgresConnection.ReadOutcome] = [],
        _ event: (inout State, Instant) -> [Machine.Action]
    ) {
        let effects = state.withLock { state in
            var effects = event(&state, .now).compactMap { effect(of: $0, outcomes, &state) }
            if let next = state.machine.nextTimer, state.timer.map({ next < $0 }) ?? true {
                state.timer = next
                effects.append(.schedule(next))
            }
            return effects
        }
        for effect in effects {
            switch effect {
            case .wake(let lane): lane.resume(returning: .rest)
            case .answer(let caller, let answer): caller.resume(returning: answer)
            case .schedule(let instant):
                reactor.schedule(timerID, at: instant) { [weak self] in
                    self?.step { state, now in
                        state.timer = nil
                        return state.machine.timerFired(now: now)
                    }
                }
            }
        }
    }

    private func effect(
        of action: Machine.Action,
        _ outcomes: [PostgresConnection.ReadOutcome],
        _ state: inout State
    ) -> Effect? {
        switch action {
        case .wake(let lane): return state.resting.removeValue(forKey: lane).map { .wake($0) }
        case .deliver(let id, let place):
            return state.callers.removeValue(forKey: id).map { .answer($0, outcomes[place].answer) }
        case .divert(let id): return state.callers.removeValue(forKey: id).map { .answer($0, .diverted) }
        case .fail(let id, let refusal):
            return state.callers.removeValue(forKey: id).map { .answer($0, .failed(Self.error(for: refusal))) }
        }
    }

    private static func error(for refusal: Machine.Refusal) -> PostgresError {
        switch refusal {
        case .exhausted: PostgresError(.exhausted, "too many reads wait")
        case .timedOut: PostgresError(.timedOut, "the deadline passed")
        case .closed: PostgresError(.closed, "the pool was stopped")
        }
    }
}

extension PostgresConnection.ReadOutcome {
    fileprivate var verdict: SharedReadMachine.Verdict {
        switch self {
        case .rows: .answered
        case .failed(let error): error.sqlState == .queryCanceled ? .slow : .answered
        case .again: .again
        }
    }

    /// Asked only of what was answered.
    fileprivate var answer: SharedReads.Answer {
        switch self {
        case .rows(let rows): .rows(rows)
        case .failed(let error): .failed(error)
        case .again: .diverted
        }
    }
}
