import Contract
import Postgres
import RPC
import Wire

/// The operations on what runs buy: steps, prices and costs. Budgets are set with other rules (`Rules`).
struct RunSteps: Sendable {
    let database: Database

    func add(to operations: inout Operations) {
        operations.onJSON(BeginStep.self) { try await begin($0, $1) }
        operations.on(EndStep.self) { try await end($0, $1) }
        operations.on(SetPrice.self) { try await set($0, $1) }
        operations.onJSON(ListCosts.self) { try await list($0, $1) }
    }

    /// What a step begins with.
    static func check(_ step: String, _ name: String, _ digest: String, tokens: Int, microdollars: Int?)
        throws(ServiceError)
    {
        guard [step, name, digest].allSatisfy({ (1...200).contains($0.utf8.count) }),
            (0...1_000_000_000).contains(tokens), microdollars ?? 0 >= 0
        else {
            throw .invalidArgument("step, name and digest have 1 to 200 bytes; tokens is 0 to a billion.")
        }
    }

    /// What it used.
    static func check(_ tokens: [Int], _ microdollars: Int?, model: String?) throws(ServiceError) {
        guard tokens.allSatisfy({ (0...1_000_000_000).contains($0) }), microdollars ?? 0 >= 0 else {
            throw .invalidArgument("Tokens are 0 to a billion, and cost nothing or more.")
        }
        guard model.map({ (1...200).contains($0.utf8.count) }) != false else {
            throw .invalidArgument("model has 1 to 200 bytes.")
        }
    }

    private func begin(_ begin: BeginStep, _ call: CallContext) async throws -> JSON {
        try Self.check(begin.step, begin.name, begin.digest, tokens: begin.tokens, microdollars: begin.microdollars)
        guard (0...begin.tokens).contains(begin.outputTokens ?? begin.tokens) else {
            throw ServiceError.invalidArgument("output_tokens is a part of tokens.")
        }
        guard begin.arguments?.utf8.count ?? 0 <= BeginStep.maximumArgumentBytes else {
            throw ServiceError.invalidArgument("arguments has at most \(BeginStep.maximumArgumentBytes) bytes.")
        }
        guard begin.agent.map({ (1...EnqueueRun.maximumNameBytes).contains($0.utf8.count) }) != false else {
            throw ServiceError.invalidArgument("agent has 1 to \(EnqueueRun.maximumNameBytes) bytes.")
        }
        if let demand = begin.approval {
            guard (1...RequireApproval.longestSeconds).contains(demand.seconds),
                demand.why.utf8.count <= BeginStep.Demand.maximumWhyBytes
            else {
                throw ServiceError.invalidArgument(
                    "approval has 1 to \(RequireApproval.longestSeconds) seconds, and why at most \(BeginStep.Demand.maximumWhyBytes) bytes."
                )
            }
        }
        let statement: Query =
            switch begin.kind {
            case .model:
                """
                select octavo_begin_step(\(begin.run.uuid), \(begin.runner), \(begin.attempt)::integer, \(begin.step),
                    'model', \(begin.name), \(begin.digest), \(begin.tokens), \(begin.repeats),
                    \(begin.microdollars)::bigint / 1000000.0, \(begin.outputTokens ?? begin.tokens))
                """
            case .tool:
                """
                select octavo_call_tool(\(begin.run.uuid), \(begin.runner), \(begin.attempt)::integer, \(begin.step),
                    \(begin.name), \(begin.digest), \(begin.arguments ?? ""), \(begin.repeats), \(begin.agent),
                    \(begin.approval?.seconds)::integer, \(begin.approval?.why))
                """
            }
        return try await database.json(statement, deadline: call.deadline) ?? .emptyObject
    }

    private func end(_ end: EndStep, _ call: CallContext) async throws -> Done {
        try Self.check([end.inputTokens, end.cachedTokens, end.outputTokens], end.microdollars, model: end.model)
        // As it was sent.
        let answer = end.answer == nil ? nil : call.arguments.member("answer")?.description
        let rows = try await database.rows(
            """
            select octavo_end_step(\(end.run.uuid), \(end.runner), \(end.attempt)::integer, \(end.step),
                \(answer)::text::json, \(end.inputTokens), \(end.cachedTokens), \(end.outputTokens),
                \(end.microdollars)::bigint / 1000000.0, \(end.model))
            """,
            deadline: call.deadline
        )
        guard try rows.first?[0, as: Bool.self] == true else {
            throw ServiceError.failedPrecondition("The lease of run \(end.run) is lost; it goes on elsewhere.")
        }
        return Done()
    }

    private func set(_ price: SetPrice, _ call: CallContext) async throws -> Done {
        guard CivilDate(price.since) != nil, (1...EnqueueRun.maximumNameBytes).contains(price.model.utf8.count),
            [price.input, price.cached, price.output].allSatisfy({ $0.map { $0 >= 0 && $0.isFinite } ?? true })
        else {
            throw ServiceError.invalidArgument(
                "Name a model, a day such as 2026-01-31, and three prices per million tokens, 0 or more."
            )
        }
        if price.input == nil, price.cached == nil, price.output == nil { return try await takeBack(price, call) }
        guard let input = price.input, let cached = price.cached, let output = price.output else {
            throw ServiceError.invalidArgument("A price is input, cached and output; none of them takes it back.")
        }
        _ = try await database.rows(
            """
            insert into model_price (model, since, input, cached, output)
            values (\(price.model), \(price.since)::text::date, \(input)::numeric, \(cached)::numeric, \(output)::numeric)
            on conflict (model, since) do update set input = excluded.input, cached = excluded.cached,
                output = excluded.output
            """,
            deadline: call.deadline
        )
        return Done()
    }

    private func takeBack(_ price: SetPrice, _ call: CallContext) async throws -> Done {
        let gone = try await database.rows(
            "delete from model_price where model = \(price.model) and since = \(price.since)::text::date returning model",
            deadline: call.deadline
        )
        guard !gone.isEmpty else {
            throw ServiceError.notFound("No price of \"\(price.model)\" is set for \(price.since).")
        }
        return Done()
    }

    private func list(_ list: ListCosts, _ call: CallContext) async throws -> JSON {
        guard (1...36_500).contains(list.days) else {
            throw ServiceError.invalidArgument("days has to be from 1 to 36500.")
        }
        let costs = try await database.json(Self.costs(list), isReadOnly: true, deadline: call.deadline)
        return costs ?? .emptyObject
    }

    static func costs(_ list: ListCosts) -> Query {
        """
        with bought as materialized (
            -- The view run_cost, but that a price is looked up for all that a model was asked on a day.
            select \(unsafe: list.by.column) as key, \(unsafe: ListCosts.Key.model.column) as model,
                \(unsafe: ListCosts.Key.day.column) as day, count(*) as requests,
                sum(input_tokens) as input_tokens, sum(least(cached_tokens, input_tokens)) as cached_tokens,
                sum(output_tokens) as output_tokens, sum(told_cost) as told_cost,
                count(*) filter (where told_cost is null
                    and (ended_at is null or input_tokens + output_tokens > 0)) as untold
            from run_step as step join run on run.id = step.run_id join question on question.id = run.question_id
            where kind = 'model' and began_at >= date_trunc('day', now(), 'UTC') - \(list.days - 1)::integer
                * interval '24 hours'
            group by 1, 2, 3
        ), priced as (
            select bought.*, case when price.model is null then told_cost else (
                    (input_tokens - cached_tokens) * price.input + cached_tokens * price.cached
                        + output_tokens * price.output) / 1000000 end as cost,
                case when price.model is null then untold else 0 end as unpriced
            from bought left join lateral (
                select * from model_price where model = bought.model and since <= day order by since desc limit 1
            ) as price on true
        )
        select jsonb_build_object('costs', coalesce(jsonb_agg(line order by cost desc, key), '[]'))
        from (
            select key::text as key, coalesce(sum(cost), 0) as cost, jsonb_build_object(
                'key', key::text, 'requests', sum(requests), 'input_tokens', sum(input_tokens),
                'output_tokens', sum(output_tokens), 'cost', trim_scale(coalesce(sum(cost), 0)), 'unpriced', sum(unpriced)) as line
            from priced group by key order by coalesce(sum(cost), 0) desc limit 1000
        ) as lines
        """
    }
}

extension ListCosts.Key {
    /// What is summed by, of a step, its run and its question.
    fileprivate var column: String {
        switch self {
        case .run: "run.id"
        case .agent: "run.agent"
        case .reader: "question.reader"
        case .channel: "question.channel"
        case .day: "(step.began_at at time zone 'UTC')::date"
        case .model: "coalesce(step.answered_by, step.name)"
        }
    }
}
