import Contract
import Postgres
import RPC
import Wire

/// The operations on budgets, and the one that tells all that administrators have set.
struct Rules: Sendable {
    /// Far more than people set.
    private static let most = 1_000

    let database: Database

    func add(to operations: inout Operations) {
        operations.on(SetBudget.self) { try await set($0, $1) }
        operations.onJSON(ListRules.self) { _, call in try await list(call) }
    }

    private func set(_ budget: SetBudget, _ call: CallContext) async throws -> Done {
        guard (1...EnqueueRun.maximumNameBytes).contains(budget.name.utf8.count) else {
            throw ServiceError.invalidArgument("A budget has a name of 1 to \(EnqueueRun.maximumNameBytes) bytes.")
        }
        guard let amount = budget.amount else { return try await remove(budget.name, call) }
        guard (0...SetBudget.most).contains(amount) else {
            throw ServiceError.invalidArgument("amount has to be from 0 to \(Int(SetBudget.most)).")
        }
        guard let unit = budget.unit else {
            throw ServiceError.invalidArgument("A budget has a unit: \(SetBudget.Unit.words).")
        }
        guard unit == .money || amount == amount.rounded() else {
            throw ServiceError.invalidArgument("Of \(unit.rawValue) there are whole numbers only.")
        }
        _ = try await database.rows(
            """
            insert into budget as earlier (name, agent, reader, channel, unit, amount, period, set_at)
            values (\(budget.name), \(budget.agent), \(budget.reader), \(budget.channel?.rawValue), \(unit.rawValue),
                \(amount)::float8::numeric, \(budget.period?.rawValue), clock_timestamp())
            on conflict (name) do update set agent = excluded.agent, reader = excluded.reader,
                channel = excluded.channel, unit = excluded.unit, amount = excluded.amount, period = excluded.period,
                -- Of another unit, or in another period, nothing was used so far.
                used = case when (earlier.unit, earlier.period) is not distinct from (excluded.unit, excluded.period)
                    then earlier.used else 0 end,
                -- Another amount is the same budget: what is under way has taken from it, and gives back.
                set_at = case when (earlier.agent, earlier.reader, earlier.channel, earlier.unit, earlier.period)
                    is not distinct from
                    (excluded.agent, excluded.reader, excluded.channel, excluded.unit, excluded.period)
                    then earlier.set_at else excluded.set_at end
            """,
            deadline: call.deadline
        )
        return Done()
    }

    private func remove(_ budget: String, _ call: CallContext) async throws -> Done {
        let gone = try await database.rows(
            "delete from budget where name = \(budget) returning name",
            deadline: call.deadline
        )
        guard !gone.isEmpty else { throw ServiceError.notFound("There is no budget \"\(budget)\".") }
        return Done()
    }

    private func list(_ call: CallContext) async throws -> JSON {
        let parts = [
            ("budgets", Self.budgets), ("limits", Self.limits), ("prices", Self.prices), ("conducts", Self.conducts),
            ("approvals", Self.approvals),
        ]
        let members = parts.map { name, lines in
            """
            '\(name)', (select coalesce(jsonb_agg(jsonb_strip_nulls(line) order by place), '[]')
                from (\(lines) order by 1 limit \(Self.most)) as lines (place, line))
            """
        }
        let found = try await database.json(
            "select jsonb_build_object(\(unsafe: members.joined(separator: ", ")))",
            isReadOnly: true,
            call
        )
        return found ?? .emptyObject
    }

    /// What was used in a period that is over counts no more, though nobody has written that down yet.
    private static let budgets = """
        select name, jsonb_build_object(
            'budget', jsonb_build_object('name', name, 'agent', agent, 'reader', reader, 'channel', channel, 'unit', unit,
                'amount', trim_scale(amount), 'period', period),
            'used', case when period_began = coalesce(date_trunc(period, now(), 'UTC'), '-infinity')
                then trim_scale(used) else 0 end,
            'until', to_char(date_trunc(period, now() at time zone 'UTC') + ('1 ' || period)::interval,
                'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
        from budget
        """

    /// One that takes every limit away is none.
    private static let limits = """
        select agent, jsonb_build_object('agent', agent, 'concurrent', concurrent, 'starts', starts,
            'seconds', extract(epoch from per)::integer)
        from agent_limit where concurrent is not null or starts is not null
        """

    private static let prices = """
        select model || ' ' || since, jsonb_build_object('model', model, 'since', since, 'input', trim_scale(input),
            'cached', trim_scale(cached), 'output', trim_scale(output))
        from model_price
        """

    private static let conducts = """
        select agent, jsonb_build_object('conduct', jsonb_build_object('agent', agent, 'double_text', double_text),
            'of_file', of_file)
        from (
            select agent, double_text, false as of_file from agent_conduct
            union all
            select agent, double_text, true from agent_file_conduct
            where agent not in (select agent from agent_conduct)
        ) as conduct
        """

    private static let approvals = """
        select agent || ' ' || tool, jsonb_build_object('agent', agent, 'tool', tool,
            'seconds', extract(epoch from within)::integer)
        from approval_rule
        """
}
