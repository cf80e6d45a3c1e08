import Contract
import NIOCore
import Postgres
import RPC
import Wire

/// The operations on questions and runs.
struct Runs: Sendable {
    let database: Database
    let signals: RunSignals
    let leases: Leases

    func add(to operations: inout Operations) {
        operations.onJSON(OpenRun.self) { try await open($0, $1) }
        operations.on(AppendEvents.self) { try await append($0, $1) }
        operations.on(ReleaseRun.self) { release, call in
            try await leases.release(release.run, of: release.runner, attempt: release.attempt, deadline: call.deadline)
            return Done()
        }
        operations.onJSON(GetRun.self) { try await get($0, $1) }
        operations.onJSON(ListRuns.self) { try await list($0, $1) }
        operations.allowWithin(GetRun.self)
        operations.allowWithin(ListRuns.self)
        operations.onStream(FollowRun.self, standing: true) { try await follow($0, $1, $2) }
        operations.onStream(ClaimRuns.self, standing: true) { try await claim($0, $1, $2) }
    }

    private func open(_ open: OpenRun, _ call: CallContext) async throws -> JSON {
        try open.question.check()
        try open.run.check()
        // The connection is the sign of life behind this lease too: the runner may open a run before its first claim.
        leases.connected(open.runner, on: call.connection)
        let event = call.arguments.member("event")?.description ?? "null"
        let statement: Query = """
            with existing as (
                select run.id, run.state, run.runner, run.attempt, question.text
                from run join question on question.id = run.question_id where run.id = \(open.run.uuid)
            ), asked as (
                insert into question (text, reader, channel)
                select \(open.question.text), \(open.question.reader), \(open.question.channel.rawValue)
                where not exists (select from existing)
                returning id
            ), opened as (
                insert into run (id, question_id, agent, model, state, attempt, runner, leased_at, lease_until, events)
                select \(open.run.uuid), id, \(open.agent), \(open.model), 'running', 1, \(open.runner), now(),
                    now() + \(Leases.seconds)::float8 * interval '1 second', 1
                from asked
                returning id, attempt
            ), told as (
                insert into run_event (run_id, sequence, event) select id, 1, \(event)::text::json from opened
            )
            select jsonb_build_object('attempt', attempt) from opened
            union all
            select jsonb_build_object('attempt', case when state = 'running' and runner = \(open.runner) then attempt end)
            from existing where text = \(open.question.text)
            """
        let opened: JSON?
        do {
            opened = try await database.json(statement, deadline: call.deadline)
        } catch let error as ServiceError where error.code == .alreadyExists {
            // The same run was opened by another call between this one's look and its insert: now it is seen.
            opened = try await database.json(statement, deadline: call.deadline)
        }
        guard let opened else { throw ServiceError.alreadyExists("The run \(open.run) belongs to another question.") }
        return opened
    }

    private func append(_ append: AppendEvents, _ call: CallContext) async throws -> Done {
        guard let first = append.events.first, let last = append.events.last else { return Done() }
        let numbers = append.events.map(\.sequence)
        guard numbers == Array(first.sequence..<(first.sequence + numbers.count)) else {
            throw ServiceError.invalidArgument("Events have to be numbered without a gap.")
        }
        // The events as they were sent: whoever follows later gets the same bytes.
        let events = call.arguments.member("events")?.description ?? "[]"
        let outcome: Outcome? = if case .finished(let outcome) = last.body { outcome } else { nil }
        let rows = try await database.rows(
            """
            with sent as materialized (
                select (event ->> 'sequence')::integer as sequence, event
                from json_array_elements(\(events)::text::json) as sent (event)
            ), leased as (
                update run set events = greatest(events, \(last.sequence)),
                    state = coalesce(\(outcome?.state.rawValue)::text, state),
                    runner = case when \(outcome != nil) then null else runner end,
                    lease_until = case when \(outcome != nil) then null
                        else now() + \(Leases.seconds)::float8 * interval '1 second' end,
                    finished_at = case when \(outcome != nil) then now() end,
                    outcome = case when \(outcome != nil)
                        then (select event -> 'data' from sent where sequence = \(last.sequence)) end
                where id = \(append.run.uuid) and state = 'running' and runner = \(append.runner)
                    and attempt = \(append.attempt) and events >= \(first.sequence - 1)
                returning id, question_id
            ), stored as (
                insert into run_event (run_id, sequence, event)
                select leased.id, sent.sequence, sent.event from leased, sent
                on conflict do nothing
            ), answered as (
                update question set answer = \(outcome?.answer), answered_at = now()
                from leased where question.id = leased.question_id and \(outcome != nil)
            )
            select exists (select from leased),
                exists (select from run_event join sent using (sequence)
                    where run_id = \(append.run.uuid) and sequence = \(last.sequence)
                        and run_event.event::text = sent.event::text)
            """,
            deadline: call.deadline
        )
        guard let row = rows.first else { throw ServiceError.internal("The events could not be stored.") }
        // Stored by an earlier try whose answer was lost counts as stored.
        guard try row[0, as: Bool.self] || row[1, as: Bool.self] else {
            throw ServiceError.failedPrecondition("The lease of run \(append.run) is lost; it goes on elsewhere.")
        }
        signals.signal(.run(append.run))
        return Done()
    }

    private func get(_ get: GetRun, _ call: CallContext) async throws -> JSON {
        let found = try await database.json(
            """
            select json_build_object(
                'id', run.id, 'state', run.state, 'agent', run.agent, 'attempt', run.attempt, 'events', run.events,
                'question', json_strip_nulls(json_build_object(
                    'text', question.text, 'reader', question.reader, 'channel', question.channel)),
                'created', \(unsafe: Self.timestamp("run.created_at")),
                'finished', \(unsafe: Self.timestamp("run.finished_at")), 'outcome', run.outcome)
            from run join question on question.id = run.question_id
            where run.id = \(get.run.uuid)
            """,
            isReadOnly: true,
            call
        )
        guard let found else { throw ServiceError.notFound("There is no run \(get.run).") }
        return found
    }

    private func list(_ list: ListRuns, _ call: CallContext) async throws -> JSON {
        guard (1...100).contains(list.limit) else {
            throw ServiceError.invalidArgument("limit has to be from 1 to 100.")
        }
        let found = try await database.json(
            """
            select jsonb_build_object('runs', coalesce(jsonb_agg(entry order by id desc), '[]'))
            from (
                select run.id, jsonb_build_object(
                    'id', run.id, 'state', run.state, 'agent', run.agent, 'question', left(question.text, 500),
                    'created', \(unsafe: Self.timestamp("run.created_at"))) as entry
                from run join question on question.id = run.question_id
                where \(list.before?.uuid)::uuid is null or run.id < \(list.before?.uuid)
                order by run.id desc limit \(list.limit)
            ) as page
            """,
            isReadOnly: true,
            call
        )
        return found ?? .emptyObject
    }

    /// RFC 3339 in UTC with milliseconds, as events have it.
    private static func timestamp(_ column: String) -> String {
        "to_char(\(column) at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
    }
}
