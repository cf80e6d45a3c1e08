import Contract
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
    /// How often leases of connected runners are renewed, and everything that waits looks again by itself.
    private static let renewal = Duration.seconds(5)
    /// A run that has taken this many runners with it is not given to another.
    static let maximumAttempts = 5

    private struct State {
        var runners: [ConnectionID: String] = [:]
    }

    private let database: Database
    private let signals: RunSignals
    private let logger: Logger
    private let state = Mutex(State())
    /// Runners that were lost; bounded by the connections there can be.
    private let lost: AsyncStream<String>
    private let lostWriter: AsyncStream<String>.Continuation

    init(database: Database, signals: RunSignals, logger: Logger) {
        self.database = database
        self.signals = signals
        self.logger = logger
        (lost, lostWriter) = AsyncStream.makeStream()
    }

    /// A runner is there, on this connection.
    func connected(_ runner: String, on connection: ConnectionID) {
        state.withLock { $0.runners[connection] = runner }
    }

    /// A connection has ended. A runner that has another one open by now was not lost.
    func disconnected(_ connection: ConnectionID) {
        let runner = state.withLock { state -> String? in
            guard let runner = state.runners.removeValue(forKey: connection) else { return nil }
            return state.runners.values.contains(runner) ? nil : runner
        }
        if let runner { lostWriter.yield(runner) }
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    for await runner in self.lost { await self.release(runner) }
                }
                group.addTask {
                    while !Task.isCancelled {
                        await self.renew()
                        try? await Task.sleep(for: Self.renewal)
                    }
                }
                group.addTask {
                    // Other hosts share this database and wake nobody here.
                    while !Task.isCancelled {
                        self.signals.signalAll()
                        try? await Task.sleep(for: .seconds(1))
                    }
                }
            }
        }
    }

    private func release(_ runner: String) async {
        await attempt("release") {
            let freed = try await free(of: runner)
            if freed > 0 { logger.notice("leases released", metadata: ["runner": "\(runner)", "runs": "\(freed)"]) }
        }
    }

    private func renew() async {
        let runners = state.withLock { Array(Set($0.runners.values)) }
        await attempt("renew") {
            _ = try await database.rows(
                """
                update run set lease_until = now() + \(Self.seconds)::float8 * interval '1 second'
                where state = 'running' and runner = any(\(runners)::text[])
                """,
                deadline: .now + .seconds(5)
            )
            _ = try await free(of: nil)
        }
    }

    /// Puts runs back into the queue, those of a runner or those whose lease is over; ends those that have been there too
    /// often, with their last event.
    private func free(of runner: String?) async throws -> Int {
        let ending = """
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
                    outcome = case when attempt >= \(Self.maximumAttempts) then \(ending)::text::json end,
                    events = case when attempt >= \(Self.maximumAttempts) then events + 1 else events end
                where state = 'running'
                    and case when \(runner)::text is null then lease_until < now() else runner = \(runner) end
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
            deadline: .now + .seconds(5)
        )
        if !rows.isEmpty { signals.signalAll() }
        return rows.count
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
