import Contract
import Postgres
import RPC
import Wire

/// The operations on conversations.
struct Conversations: Sendable {
    let database: Database
    let signals: RunSignals

    func add(to operations: inout Operations) {
        operations.onJSON(Say.self) { try await say($0, $1) }
        operations.onJSON(GetConversation.self) { try await get($0, $1) }
        operations.onJSON(GetHistory.self) { try await history($0, $1) }
        operations.on(SetConduct.self) { try await set($0, $1) }
        operations.on(FileConducts.self) { try await set($0, $1) }
    }

    private func say(_ say: Say, _ call: CallContext) async throws -> JSON {
        try say.question.check()
        try say.run.check()
        try CommandRun.check(say.agent)
        guard (1...EnqueueRun.maximumNameBytes).contains(say.agent.utf8.count) else {
            throw ServiceError.invalidArgument("Name the agent.")
        }
        let question = say.question
        let statement: Query = """
            select octavo_say(\(say.conversation.uuid), \(say.run.uuid), \(say.agent), \(question.text), \(question.reader),
                \(question.channel.rawValue), \(Acceptance.usualPriority)::integer, \(Acceptance.usualTries)::integer)
            """
        // Of a new run; one that a text was added to keeps its own.
        let trace: Query = """
            update run set traceparent = \(call.trace(or: nil)) where id = \(say.run.uuid) and traceparent is null
            """
        // One that was added to another's question has no channel of its own.
        let channel: Query = """
            select octavo_raise('OC004', 'Another text was said under this id.')
            from conversation_text as said join run on run.id = said.run_id join question on question.id = run.question_id
            where said.id = \(say.run.uuid) and said.how = 'asked' and question.channel <> \(question.channel.rawValue)
            """
        let answer =
            try await database.batch([statement, trace, channel], deadline: call.deadline).first ?? .emptyObject
        let said = try answer.decode(Say.Result.self)
        for ended in said.ended {
            signals.signal(.run(ended.run))
            guard let runner = ended.runner else { continue }
            signals.stop(RunSignals.Stop(runner: runner, run: ended.run, attempt: ended.attempt))
        }
        if !said.ended.isEmpty { signals.runsEnded(said.ended.map(\.run.uuid)) }
        signals.signal(.queue)
        return answer
    }

    private func get(_ get: GetConversation, _ call: CallContext) async throws -> JSON {
        guard (1...100).contains(get.limit) else {
            throw ServiceError.invalidArgument("limit has to be from 1 to 100.")
        }
        let found = try await database.json(
            """
            select jsonb_build_object('conversation', conversation.id, 'agent', conversation.agent, 'turns', coalesce((
                select jsonb_agg(line order by number) from (
                    select number, \(unsafe: Self.turn) as line
                    from turn join run on run.id = turn.run_id join question on question.id = run.question_id
                        left join run_work on run_work.run_id = run.id
                    where conversation_id = conversation.id order by number desc limit \(get.limit)
                ) as page), '[]'))
            from conversation where id = \(get.conversation.uuid)
            """,
            isReadOnly: true,
            call
        )
        guard let found else { throw ServiceError.notFound("There is no such conversation.") }
        return found
    }

    private func history(_ history: GetHistory, _ call: CallContext) async throws -> JSON {
        let found = try await database.json(
            """
            select jsonb_build_object('turns', coalesce(jsonb_agg(line order by number), '[]'), 'used_tools', exists (
                select from turn as own join turn on turn.conversation_id = own.conversation_id and turn.number < own.number
                    join run_step on run_step.run_id = turn.run_id and kind = 'tool'
                where own.run_id = \(history.run.uuid) and not turn.rolled_back))
            from (
                select turn.number, \(unsafe: Self.turn) as line
                from turn as own join turn on turn.conversation_id = own.conversation_id and turn.number < own.number
                    join run on run.id = turn.run_id join question on question.id = run.question_id
                    left join run_work on run_work.run_id = run.id
                where own.run_id = \(history.run.uuid) and not turn.rolled_back and run.state is not null
                order by turn.number desc limit \(GetHistory.most)
            ) as page
            """,
            isReadOnly: true,
            call
        )
        return found ?? .emptyObject
    }

    private func set(_ conduct: SetConduct, _ call: CallContext) async throws -> Done {
        guard (1...EnqueueRun.maximumNameBytes).contains(conduct.agent.utf8.count) else {
            throw ServiceError.invalidArgument("Name the agent.")
        }
        guard let doubleText = conduct.doubleText else { return try await takeBack(of: conduct.agent, call) }
        _ = try await database.rows(
            """
            insert into agent_conduct (agent, double_text) values (\(conduct.agent), \(doubleText.rawValue))
            on conflict (agent) do update set double_text = excluded.double_text
            """,
            deadline: call.deadline
        )
        return Done()
    }

    private func takeBack(of agent: String, _ call: CallContext) async throws -> Done {
        let gone = try await database.rows(
            "delete from agent_conduct where agent = \(agent) returning agent",
            deadline: call.deadline
        )
        guard !gone.isEmpty else { throw ServiceError.notFound("No conduct is set for \"\(agent)\".") }
        return Done()
    }

    private func set(_ conducts: FileConducts, _ call: CallContext) async throws -> Done {
        guard conducts.conducts.count <= FileConducts.most,
            conducts.conducts.allSatisfy({ (1...EnqueueRun.maximumNameBytes).contains($0.agent.utf8.count) })
        else {
            throw ServiceError.invalidArgument("Name at most \(FileConducts.most) agents.")
        }
        // Nothing is written where nothing has changed: every runner tells it when it begins.
        _ = try await database.rows(
            """
            with told as (
                select * from unnest(\(conducts.conducts.map(\.agent)), \(conducts.conducts.map { $0.doubleText?.rawValue ?? "" }))
                    as told (agent, double_text)
            ), gone as (
                delete from agent_file_conduct using told
                where agent_file_conduct.agent = told.agent and told.double_text = ''
            )
            insert into agent_file_conduct (agent, double_text)
            select distinct on (agent) agent, double_text from told where double_text <> '' order by agent
            on conflict (agent) do update set double_text = excluded.double_text
            where agent_file_conduct.double_text <> excluded.double_text
            """,
            deadline: call.deadline
        )
        return Done()
    }

    /// A turn as the contract has it.
    private static let turn = """
        jsonb_strip_nulls(jsonb_build_object('run', run.id, 'question', question.text,
            'answer', left(case when run.state = 'succeeded' then run.outcome ->> 'answer'
                when run.state is not null then octavo_shown(run.id) end, \(GetHistory.answerCharacters)),
            'state', coalesce(run_work.state, run.state), 'rolled_back', case when turn.rolled_back then true end))
        """
}
