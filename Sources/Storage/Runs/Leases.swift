import Contract
import FoundationEssentials
import Logging
import Postgres
import RPC
import ServiceLifecycle
import Synchronization
import Wire

/// Who carries out which run. A runner's open connection is the sign of life behind its leases: when it ends they are
/// released at once; leases of a runner that never came back, after a restart of this process, end by time.
final class Leases: Service {
    /// How long a lease lasts without a sign of life. Longer than a restart of storage takes.
    static let duration = Duration.seconds(15)
    /// How often leases of connected runners are renewed, and everything that waits looks again by itself: other hosts
    /// share the database and wake nobody here.
    private static let renewal = Duration.seconds(5)
    /// A run that has taken this many runners with it is not given to another.
    static let maximumAttempts = 5
    /// What was leased a moment ago may still be on its way to its runner.
    private static let underWay = 20.0

    /// Which leases are to end.
    private enum Ending {
        case of(runner: String)
        case unknown(to: String, holding: [UUID])
        case run(UUID, runner: String, attempt: Int)
        case expired
    }

    private struct State {
        var runners: [ConnectionID: String] = [:]
        /// Lost, and not released yet: bounded by the connections there can be while Postgres is away.
        var lost: Set<String> = []
    }

    private let database: Database
    private let signals: RunSignals
    private let logger: Logger
    private let state = Mutex(State())
    private let losses: AsyncStream<Void>
    private let loss: AsyncStream<Void>.Continuation

    init(database: Database, signals: RunSignals, logger: Logger) {
        self.database = database
        self.signals = signals
        self.logger = logger
        (losses, loss) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// A runner is there, on this connection; said by a call that came in on it.
    ///
    /// The connection may have ended before the call got here. Its calls are cancelled then, and nobody would take the
    /// entry out again; the runner's leases end by time. A call may be cancelled for other reasons too, so what an
    /// earlier call has noted stays.
    func connected(_ runner: String, on connection: ConnectionID) {
        state.withLock { state in
            let isNew = state.runners.updateValue(runner, forKey: connection) == nil
            state.lost.remove(runner)
            if isNew, Task.isCancelled { state.runners[connection] = nil }
        }
    }

    /// A connection has ended. A runner that has another one open by now was not lost.
    func disconnected(_ connection: ConnectionID) {
        state.withLock { state in
            guard let runner = state.runners.removeValue(forKey: connection) else { return }
            if !state.runners.values.contains(runner) { state.lost.insert(runner) }
        }
        loss.yield()
    }

    /// Ends one lease.
    func release(
        _ run: RunID,
        of runner: String,
        attempt: Int,
        deadline: ContinuousClock.Instant
    ) async throws {
        _ = try await end(.run(run.uuid, runner: runner, attempt: attempt), deadline: deadline)
    }

    /// Ends the leases of runs the runner does not know of: they were lost between the lease and the runner.
    func release(unknownTo runner: String, holding: [RunID], deadline: ContinuousClock.Instant) async throws {
        _ = try await end(.unknown(to: runner, holding: holding.map(\.uuid)), deadline: deadline)
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    for await _ in self.losses { await self.releaseLost() }
                }
                group.addTask {
                    // After a start, runners are given the time of a lease to come back before it counts as over.
                    let start = ContinuousClock.now
                    while !Task.isCancelled {
                        await self.renew(endExpired: ContinuousClock.now - start > Self.duration)
                        await self.releaseLost()
                        self.signals.signalAll()
                        try? await Task.sleep(for: Self.renewal)
                    }
                }
            }
        }
    }

    private func releaseLost() async {
        for runner in state.withLock({ $0.lost }) {
            await attempt("release") {
                let count = try await end(.of(runner: runner), deadline: .now + .seconds(5))
                state.withLock { _ = $0.lost.remove(runner) }
                if count > 0 {
                    logger.notice("leases released", metadata: ["runner": "\(runner)", "runs": "\(count)"])
                }
            }
        }
    }

    private func renew(endExpired: Bool) async {
        let runners = state.withLock { Array(Set($0.runners.values)) }
        await attempt("renew") {
            _ = try await database.rows(
                """
                update run set lease_until = now() + \(Self.seconds)::float8 * interval '1 second'
                where state = 'running' and runner = any(\(runners)::text[])
                """,
                deadline: .now + .seconds(5)
            )
            if endExpired { _ = try await end(.expired, deadline: .now + .seconds(5)) }
        }
    }

    /// Puts runs back into the queue; ends those that have been there too often, with their last event.
    private func end(_ ending: Ending, deadline: ContinuousClock.Instant) async throws -> Int {
        let (runner, run, attempt, holding) = Self.parameters(ending)
        let outcome = """
            {"state":"failed","citations":[],"supported":false,"model":"","usage":{"requests":0,"input_tokens":0,\
            "output_tokens":0},"timeline":[],"error":{"code":"unavailable","message":"The run was lost with its runner \
            \(Self.maximumAttempts) times."}}
            """
        let rows = try await database.rows(
            """
            with freed as (
                update run set runner = null, leased_at = null, lease_until = null,
                    state = case when attempt >= \(Self.maximumAttempts) then 'failed' else 'queued' end,
                    finished_at = case when attempt >= \(Self.maximumAttempts) then now() end,
                    outcome = case when attempt >= \(Self.maximumAttempts) then \(outcome)::text::json end,
                    events = case when attempt >= \(Self.maximumAttempts) then events + 1 else events end
                where state = 'running' and case
                    when \(run)::uuid is not null then id = \(run) and runner = \(runner) and attempt = \(attempt)::integer
                    when \(holding)::uuid[] is not null then runner = \(runner) and id <> all(\(holding)::uuid[])
                        and leased_at < now() - \(Self.underWay)::float8 * interval '1 second'
                    when \(runner)::text is not null then runner = \(runner)
                    else lease_until < now() end
                returning id, state, events, outcome
            ), ended as (
                insert into run_event (run_id, sequence, event)
                select id, events, json_build_object(
                    'at', to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'data', outcome,
                    'sequence', events, 'type', 'finished')
                from freed where state = 'failed'
            )
            select id from freed
            """,
            deadline: deadline
        )
        if !rows.isEmpty { signals.signalAll() }
        return rows.count
    }

    private static func parameters(_ ending: Ending) -> (runner: String?, run: UUID?, attempt: Int?, holding: [UUID]?) {
        switch ending {
        case .of(let runner): (runner, nil, nil, nil)
        case .unknown(let runner, let holding): (runner, nil, nil, holding)
        case .run(let run, let runner, let attempt): (runner, run, attempt, nil)
        case .expired: (nil, nil, nil, nil)
        }
    }

    /// Housekeeping that fails is tried again at the next turn.
    private func attempt(_ what: String, _ body: () async throws -> Void) async {
        do {
            try await body()
        } catch {
            logger.debug("housekeeping failed", metadata: ["what": "\(what)", "error": "\(error)"])
        }
    }

    static let seconds = Double(duration.components.seconds)
}
