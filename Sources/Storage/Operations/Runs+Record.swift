import Contract
import Postgres
import RPC
import Wire

/// What is in the record.
extension Runs {
    /// The lane is for administrators: that of a conversation tells its id, and whoever knows it may speak in it.
    func get(_ get: GetRun, _ call: CallContext) async throws -> JSON {
        let found = try await database.json(
            """
            select json_build_object(
                'id', run.id, 'state', coalesce(run_work.state, run.state), 'agent', run.agent,
                'attempt', coalesce(run_work.attempt, run.attempt), 'failures', run_work.failures,
                'events', coalesce(run_work.events, run.events), 'retry_of', run.retry_of,
                'trace_id', split_part(run.traceparent, '-', 2),
                'question', json_strip_nulls(json_build_object(
                    'text', question.text, 'reader', question.reader, 'channel', question.channel)),
                'due', case when run_work.state = 'scheduled' then \(unsafe: Self.timestamp("run_work.ready_at")) end,
                'priority', run_work.priority, 'deadline', \(unsafe: Self.timestamp("run_work.deadline_at")),
                'lane', case when \(call.role == .admin) then run_work.lane end,
                'created', \(unsafe: Self.timestamp("run.created_at")),
                'began', (select event ->> 'at' from run_event where run_id = run.id and sequence = 1),
                'finished', \(unsafe: Self.timestamp("run.finished_at")), 'outcome', run.outcome, 'steps', (
                    select coalesce(json_agg(line), '[]') from (
                        select json_build_object('step', step, 'attempt', attempt, 'kind', kind, 'name', name,
                            'start_ms', (extract(epoch from began_at - run.created_at) * 1000)::bigint,
                            'end_ms', (extract(epoch from ended_at - run.created_at) * 1000)::bigint,
                            'input_tokens', input_tokens, 'output_tokens', output_tokens) as line
                        from run_step where run_id = run.id order by began_at limit 500) as steps))
            from run join question on question.id = run.question_id left join run_work on run_work.run_id = run.id
            where run.id = \(get.run.uuid)
            """,
            isReadOnly: true,
            call
        )
        guard let found else { throw ServiceError.notFound("There is no run \(get.run).") }
        return found
    }

    func list(_ list: ListRuns, _ call: CallContext) async throws -> JSON {
        guard (1...100).contains(list.limit) else {
            throw ServiceError.invalidArgument("limit has to be from 1 to 100.")
        }
        return try await database.json(Self.listing(list), isReadOnly: true, call) ?? .emptyObject
    }

    /// Newest first. Of runs under way, those of a state are sought in the table of work: the record, read from its newest, may hold
    /// millions in which there are none.
    static func listing(_ list: ListRuns) -> Query {
        guard let state = list.state, !state.isTerminal else {
            // The state as it stands there, so that the indexes of the few that failed or were cancelled are used.
            let states = list.state.map { "run.state = '\($0.rawValue)'" } ?? "true"
            return """
                select \(unsafe: page)
                    from run join question on question.id = run.question_id
                        left join run_work on run_work.run_id = run.id
                    where (\(list.before?.uuid)::uuid is null or run.id < \(list.before?.uuid))
                        and \(unsafe: states)
                    order by run.id desc limit \(list.limit)) as page
                """
        }
        return """
            with under_way as materialized (
                select run_id, state from run_work
                where state = \(state.rawValue)
                    and (\(list.before?.uuid)::uuid is null or run_id < \(list.before?.uuid))
                order by run_id desc limit \(list.limit)
            )
            select \(unsafe: page)
                from under_way as run_work join run on run.id = run_work.run_id
                    join question on question.id = run.question_id) as page
            """
    }

    /// What both begin with.
    private static let page = """
        jsonb_build_object('runs', coalesce(jsonb_agg(entry order by id desc), '[]')) from (
            select run.id, jsonb_build_object(
                'id', run.id, 'state', coalesce(run_work.state, run.state), 'agent', run.agent,
                'question', left(question.text, 500), 'created', \(timestamp("run.created_at"))) as entry
        """

    /// RFC 3339 in UTC with milliseconds, as events have it.
    private static func timestamp(_ column: String) -> String {
        "to_char(\(column) at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
    }
}
