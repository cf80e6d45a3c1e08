import Contract
import FoundationEssentials
import Postgres
import RPC
import Wire

/// What runs do, in numbers for monitoring.
struct RunNumbers: Sendable {
    let database: Database
    let counts: RunCounts

    func add(to operations: inout Operations) {
        operations.on(GetRunMetrics.self) { _, call in try await metrics(call) }
    }

    /// As the indexes have them: those that were sent are a million times as many.
    static let waitingMessages: Query = """
        select state, count(*) from outbox where state in ('queued', 'sending', 'unknown') group by state
        union all
        select 'dead', count(*) from outbox where state = 'dead' having count(*) > 0
        """

    private func metrics(_ call: CallContext) async throws -> GetRunMetrics.Result {
        try await countUnseen(call)
        let underWay = try await database.rows(
            "select agent, state, count(*) from run_work group by agent, state order by 3 desc",
            isReadOnly: true,
            isShort: false,
            call
        )
        var agents = counts.agents
        for row in underWay {
            let name = RunCounts.name(try row[0, as: String.self], among: agents.keys)
            agents[name, default: GetRunMetrics.Agent()].underWay[try row[1, as: String.self], default: 0] +=
                try row[2, as: Int.self]
        }
        let waiting = try await database.rows(
            Self.waitingMessages,
            isReadOnly: true,
            isShort: false,
            call
        )
        let outbox = try waiting.map { (try $0[0, as: String.self], try $0[1, as: Int.self]) }
        return GetRunMetrics.Result(agents: agents, outbox: Dictionary(outbox) { $1 })
    }

    /// What the runs were that have ended here is in the record.
    private func countUnseen(_ call: CallContext) async throws {
        let unseen = counts.takeUnseen()
        guard !unseen.isEmpty else { return }
        do {
            let rows = try await database.rows(
                """
                select agent, state, extract(epoch from finished_at - created_at)::float8 from run
                where id = any(\(unseen)::uuid[]) and state is not null
                """,
                isReadOnly: true,
                isShort: false,
                call
            )
            for row in rows {
                guard let state = RunState(rawValue: try row[1, as: String.self]) else { continue }
                counts.ended(try row[0, as: String.self], state, after: try row[2, as: Double?.self] ?? 0)
            }
        } catch {
            counts.touched(unseen)
            throw error
        }
    }
}
