import Contract
import FoundationEssentials
import Logging
import Postgres
import ServiceLifecycle

/// What happens to runs because of the time: scheduled ones fall due, deadlines are over, approvals expire. And what keeps the queue fast.
final class RunClock: Service {
    /// The most runs of one statement, so that none of them takes long.
    private static let part = 500
    /// The longest time without a look: other hosts' news may be missed.
    private static let longest = Duration.seconds(5)
    /// How often the entries of runs that were due long ago are looked through for one that was missed, and starts forgotten that count
    /// no more: what a limit allows in this time.
    private static let sweep = Duration.seconds(300)
    /// How often the floors of the queues are looked after: a claim reads through what was given out in twice this time, where an
    /// old snapshot keeps it.
    private static let raise = Duration.milliseconds(100)
    /// How often what ended runs have left behind is cleared away; a busy queue leaves some thousand rows in this time.
    private static let clearing = Duration.seconds(10)

    private let database: Database
    private let signals: RunSignals
    private let queue: RunQueue
    private let logger: Logger

    init(database: Database, signals: RunSignals, queue: RunQueue, logger: Logger) {
        self.database = database
        self.signals = signals
        self.queue = queue
        self.logger = logger
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.watch() }
                group.addTask { await self.every(Self.raise, "floors") { try await self.queue.raiseFloors() } }
                group.addTask { await self.every(Self.clearing, "clearing") { try await self.clear() } }
                group.addTask { await self.every(Self.sweep, "starts") { try await self.forgetStarts() } }
            }
        }
    }

    private func watch() async {
        var nextSweep = ContinuousClock.now
        await signals.subscribed(to: .clock) { signal in
            while !Task.isCancelled {
                let isSweep = ContinuousClock.now >= nextSweep
                var wait = Self.longest
                do {
                    wait = try await look(sweep: isSweep)
                    // As long as there is more than one statement takes, it goes on.
                    if isSweep, wait > .zero { nextSweep = .now + Self.sweep }
                } catch {
                    logger.debug("the clock stands still", metadata: ["error": "\(error)"])
                    wait = .milliseconds(500)
                }
                await signal.wait(for: wait)
            }
        }
    }

    /// Does what is due. Returns how long nothing will be; zero when more is due than one statement does.
    private func look(sweep: Bool) async throws -> Duration {
        let deadline = ContinuousClock.now + .seconds(10)
        // Others enter and leave the same lanes at this moment, in an order of their own.
        let due = try await database.racing(until: deadline) {
            try await database.rowsByIndex(Transitions.fallDue(most: Self.part, sweep: sweep), deadline: deadline)
        }
        if !due.isEmpty { signals.signal(.queue) }
        let late = try await database.racing(until: deadline) {
            try await database.rowsByIndex(Transitions.expire(most: Self.part, sweep: sweep), deadline: deadline)
        }
        try signals.concluded(late)
        let undecided = try await database.racing(until: deadline) {
            try await database.rows(Transitions.expireApprovals(most: Self.part), deadline: deadline)
        }
        try signals.decided(undecided)
        guard due.count < Self.part, late.count < Self.part, undecided.count < Self.part else { return .zero }
        let next = try await database.rowsByIndex(Transitions.untilNext, deadline: deadline)
        let milliseconds = try next.first?[0, as: Double?.self]
        return milliseconds.map { min(Self.longest, .milliseconds(max(1, $0))) } ?? Self.longest
    }

    /// Takes away what is dead in the table of work, more often than autovacuum looks. Takes milliseconds, and nobody waits.
    /// Only its owner may: where storage has a role of its own, this is left to autovacuum.
    private func clear() async throws {
        let rows = try await database.rows(
            """
            select pg_stat_get_dead_tuples(oid) from pg_class
            where oid = 'run_work'::regclass and pg_has_role(relowner, 'usage')
            """,
            isReadOnly: true,
            deadline: .now + .seconds(5)
        )
        guard try rows.first?[0, as: Int.self] ?? 0 > 1_000 else { return }
        _ = try await database.rows("vacuum (skip_locked, truncate off) run_work", deadline: .now + .seconds(60))
    }

    private func forgetStarts() async throws {
        _ = try await database.rows(Transitions.forgetStarts, deadline: .now + .seconds(60))
    }

    private func every(_ pause: Duration, _ what: String, _ body: () async throws -> Void) async {
        while !Task.isCancelled {
            do {
                try await body()
            } catch {
                logger.debug("housekeeping failed", metadata: ["what": "\(what)", "error": "\(error)"])
            }
            try? await Task.sleep(for: pause)
        }
    }
}

extension RunSignals {
    /// Of runs that waited for a person something was decided: whoever follows them is told, and they may go on. Rows of their ids.
    func decided(_ rows: Rows) throws {
        for row in rows {
            guard let run = RunID(try row[0, as: UUID.self].uuidString) else { continue }
            signal(.run(run))
        }
        if !rows.isEmpty { signal(.queue) }
    }

    /// Runs were ended by storage: whoever follows them, and whoever carried them out, is told. Rows of `octavo_conclude`.
    func concluded(_ rows: Rows) throws {
        for row in rows {
            guard let run = RunID(try row[0, as: UUID.self].uuidString) else { continue }
            signal(.run(run))
            if let runner = try row[1, as: String?.self] {
                stop(Stop(runner: runner, run: run, attempt: Int(try row[2, as: Int32.self])))
            }
        }
        // An ended run may have passed its turn on, or made room under a limit.
        guard !rows.isEmpty else { return }
        signal(.queue)
        runsEnded(try rows.map { try $0[0, as: UUID.self] })
    }
}
