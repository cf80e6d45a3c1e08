import Contract
import Postgres
import RPC
import Wire

/// The operations on approvals. They are asked for by `runs.begin_step`, and used up by it.
struct Approvals: Sendable {
    let database: Database
    let signals: RunSignals

    func add(to operations: inout Operations) {
        operations.onJSON(ListApprovals.self) { try await list($0, $1) }
        operations.on(DecideApproval.self) { try await decide($0, $1) }
        operations.on(RequireApproval.self) { try await require($0, $1) }
    }

    private func list(_ list: ListApprovals, _ call: CallContext) async throws -> JSON {
        guard (1...100).contains(list.limit) else {
            throw ServiceError.invalidArgument("limit has to be from 1 to 100.")
        }
        let found = try await database.json(
            """
            select jsonb_build_object('approvals', coalesce(jsonb_agg(line order by id desc), '[]'))
            from (
                select approval.id, jsonb_strip_nulls(jsonb_build_object('approval', approval.id, 'run', run.id,
                    'agent', coalesce(approval.agent, run.agent), 'question', left(question.text, 200), 'tool', tool, 'arguments', arguments,
                    'hash', hash, 'state', \(unsafe: Self.state), 'by', decided_by, 'reason', reason, 'why', cause,
                    'asked', \(unsafe: Self.timestamp("approval.asked_at")), 'expires', \(unsafe: Self.timestamp("approval.expires_at")))) as line
                from approval join run on run.id = approval.run_id join question on question.id = run.question_id
                where (\(list.state == nil) or \(unsafe: Self.state) = \(list.state?.rawValue))
                order by approval.id desc limit \(list.limit)
            ) as page
            """,
            isReadOnly: true,
            call
        )
        return found ?? .emptyObject
    }

    private func decide(_ decide: DecideApproval, _ call: CallContext) async throws -> Done {
        guard decide.reason?.utf8.count ?? 0 <= DecideApproval.maximumReasonBytes else {
            throw ServiceError.invalidArgument("reason has at most \(DecideApproval.maximumReasonBytes) bytes.")
        }
        // Who it was is the socket's word and not the caller's.
        let rows = try await database.rows(
            "select octavo_decide(\(decide.approval), \(decide.approve), \(call.user), \(decide.reason))",
            deadline: call.deadline
        )
        try signals.decided(rows)
        return Done()
    }

    private func require(_ require: RequireApproval, _ call: CallContext) async throws -> Done {
        let names = [require.agent, require.tool].map(\.utf8.count)
        guard names.allSatisfy((1...EnqueueRun.maximumNameBytes).contains),
            (1...RequireApproval.longestSeconds).contains(require.seconds ?? 1)
        else {
            throw ServiceError.invalidArgument(
                "Name an agent and a tool; seconds is 1 to \(RequireApproval.longestSeconds)."
            )
        }
        _ = try await database.rows(
            require.seconds == nil
                ? "delete from approval_rule where agent = \(require.agent) and tool = \(require.tool)"
                : """
                insert into approval_rule (agent, tool, within)
                values (\(require.agent), \(require.tool), \(require.seconds)::integer * interval '1 second')
                on conflict (agent, tool) do update set within = excluded.within
                """,
            deadline: call.deadline
        )
        return Done()
    }

    /// Nobody has to decide any more what a run wanted to do that has ended.
    private static let state =
        "case when approval.state = 'pending' and run.state is not null then 'void' else approval.state end"

    private static func timestamp(_ time: String) -> String {
        "to_char(\(time) at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
    }
}
