import Contract
import Postgres
import RPC
import Wire

/// The operations on schedules. `ScheduleClock` fires them.
struct Schedules: Sendable {
    let database: Database
    let signals: RunSignals
    let zones: Zones

    func add(to operations: inout Operations) {
        operations.onJSON(AddSchedule.self) { try await add($0.schedule, $1) }
        operations.onJSON(ListSchedules.self) { try await list($0, $1) }
        operations.on(RemoveSchedule.self) { try await remove($0, $1) }
        operations.on(PauseSchedule.self) { try await pause($0, $1) }
        operations.onJSON(NextTicks.self) { try await next($0, $1) }
        operations.onJSON(FireSchedule.self) { try await fire($0, $1) }
    }

    private func add(_ schedule: Schedule, _ call: CallContext) async throws -> JSON {
        let (agent, question) = try Self.check(schedule)
        let timetable = try await zones.timetable(schedule.cron, in: schedule.zone, deadline: call.deadline)
        let next = try await firstTick(of: timetable, call)
        let isCommand = schedule.command != nil
        let added = try await database.json(
            """
            with given (name, cron, zone, agent, question, priority, tries, deadline_ms, catch_up, catch_up_most) as (
                values (\(schedule.name), \(schedule.cron), \(schedule.zone), \(agent), \(question),
                    \(schedule.priority ?? Acceptance.usualPriority)::smallint,
                    \(schedule.tries ?? (isCommand ? 1 : Acceptance.usualTries))::integer,
                    \(schedule.deadlineMilliseconds)::bigint, \((schedule.catchUp ?? .last).rawValue),
                    \(schedule.catchUpMost ?? Self.usuallyCaughtUp)::integer)
            ), existing as (
                select next_at, (schedule.cron, schedule.zone, schedule.agent, schedule.question, schedule.priority,
                        schedule.tries, schedule.deadline_ms, schedule.catch_up, schedule.catch_up_most)
                    is not distinct from (given.cron, given.zone, given.agent, given.question, given.priority, given.tries,
                        given.deadline_ms, given.catch_up, given.catch_up_most) as is_same
                from schedule join given using (name)
            ), made as (
                insert into schedule (name, cron, zone, agent, question, priority, tries, deadline_ms, catch_up,
                    catch_up_most, next_at)
                select given.*, to_timestamp(\(Double(next))) from given
                where (select count(*) from schedule) < \(AddSchedule.most)
                on conflict do nothing
                returning next_at
            )
            select coalesce(
                (select jsonb_build_object('next', \(unsafe: Self.timestamp("next_at")), 'new', true) from made),
                (select case when is_same
                    then jsonb_build_object('next', \(unsafe: Self.timestamp("next_at")), 'new', false)
                    else octavo_raise('OC004', 'There is another schedule of that name: remove it first.') end
                    from existing),
                case when (select count(*) from schedule) >= \(AddSchedule.most)
                    then octavo_raise('OC006', 'There are \(unsafe: "\(AddSchedule.most)") schedules already.')
                    else octavo_raise('40001', 'Another one was faster.') end)
            """,
            deadline: call.deadline
        )
        signals.signal(.clock)
        return added ?? .emptyObject
    }

    private func firstTick(of timetable: Timetable, _ call: CallContext) async throws -> Int64 {
        let rows = try await database.rows(
            "select floor(extract(epoch from clock_timestamp()))::bigint",
            isReadOnly: true,
            deadline: call.deadline
        )
        let now = try rows.first?[0, as: Int64.self] ?? 0
        guard let next = timetable.next(after: now).first else {
            throw ServiceError.invalidArgument("\"cron\" is not due within nine years.")
        }
        return next
    }

    private func list(_ list: ListSchedules, _ call: CallContext) async throws -> JSON {
        guard (1...100).contains(list.limit) else {
            throw ServiceError.invalidArgument("limit has to be from 1 to 100.")
        }
        let found = try await database.json(
            """
            with page as (
                select * from schedule where name > \(list.after) order by name limit \(list.limit + 1)
            ), shown as (
                select * from page order by name limit \(list.limit)
            )
            select jsonb_build_object(
                'schedules', coalesce((
                    select jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                        'schedule', \(unsafe: Self.document), 'paused', paused, 'missed', missed,
                        'next', case when not paused then \(unsafe: Self.timestamp("next_at")) end,
                        'last', \(unsafe: Self.timestamp("last_at")),
                        'last_run', (
                            select run_id from schedule_tick
                            where schedule_id = shown.id and at = shown.last_at))) order by name)
                    from shown), '[]'),
                'next', case when (select count(*) from page) > \(list.limit) then (select max(name) from shown) end)
            """,
            isReadOnly: true,
            call
        )
        return found ?? .emptyObject
    }

    private func remove(_ remove: RemoveSchedule, _ call: CallContext) async throws -> Done {
        let rows = try await database.rows(
            "delete from schedule where name = \(remove.schedule) returning id",
            deadline: call.deadline
        )
        guard !rows.isEmpty else { throw Self.missing }
        return Done()
    }

    private func pause(_ pause: PauseSchedule, _ call: CallContext) async throws -> Done {
        let schedule = try await stored(pause.schedule, call)
        guard !pause.paused else {
            _ = try await database.rows(
                "update schedule set paused = true where id = \(schedule.id)",
                deadline: call.deadline
            )
            return Done()
        }
        let timetable = try await zones.timetable(schedule.cron, in: schedule.zone, deadline: call.deadline)
        let next = try await firstTick(of: timetable, call)
        _ = try await database.rows(
            """
            update schedule set paused = false, next_at = to_timestamp(\(Double(next)))
            where id = \(schedule.id) and paused
            """,
            deadline: call.deadline
        )
        signals.signal(.clock)
        return Done()
    }

    private func next(_ next: NextTicks, _ call: CallContext) async throws -> JSON {
        guard (1...100).contains(next.count) else {
            throw ServiceError.invalidArgument("count has to be from 1 to 100.")
        }
        guard (next.schedule == nil) != (next.cron == nil), next.zone == nil || next.cron != nil else {
            throw ServiceError.invalidArgument("Name a schedule, or give \"cron\", and \"zone\" with it.")
        }
        let stored = if let name = next.schedule { try await stored(name, call) } else { nil as StoredSchedule? }
        let zone = stored?.zone ?? next.zone ?? "UTC"
        let timetable = try await zones.timetable(stored?.cron ?? next.cron ?? "", in: zone, deadline: call.deadline)
        let first = try await firstTick(of: timetable, call)
        let ticks = timetable.next(next.count, after: first - 1)
        let found = try await database.json(
            """
            select jsonb_build_object('ticks', coalesce(jsonb_agg(jsonb_build_object(
                'at', \(unsafe: Self.timestamp("to_timestamp(tick)")),
                'local', to_char(to_timestamp(tick) at time zone \(zone), 'Dy YYYY-MM-DD HH24:MI')) order by tick), '[]'))
            from unnest(\(ticks)::bigint[]) as tick
            """,
            isReadOnly: true,
            deadline: call.deadline
        )
        return found ?? .emptyObject
    }

    private func fire(_ fire: FireSchedule, _ call: CallContext) async throws -> JSON {
        try fire.run.check()
        let enqueue = try await stored(fire.schedule, call).enqueue(fire.run, trace: call.traceparent)
        let accepted = try await database.batch([try Acceptance.enqueue(enqueue)], deadline: call.deadline)
        signals.accepted(enqueue)
        return accepted.first ?? .emptyObject
    }

    private func stored(_ name: String, _ call: CallContext) async throws -> StoredSchedule {
        let rows = try await database.rows(
            "select \(unsafe: StoredSchedule.columns) from schedule where name = \(name)",
            isReadOnly: true,
            deadline: call.deadline
        )
        guard let row = rows.first else { throw Self.missing }
        return try StoredSchedule(row)
    }

    private static let missing = ServiceError.notFound("There is no schedule of that name.")
    private static let usuallyCaughtUp = 10

    /// A schedule as the contract has it.
    private static let document = """
        jsonb_build_object('name', name, 'cron', cron, 'zone', zone, 'priority', priority, 'tries', tries,
            'deadline_ms', deadline_ms, 'catch_up', catch_up, 'catch_up_most', catch_up_most,
            'agent', case when agent <> '\(CommandRun.agent)' then agent end,
            'question', case when agent <> '\(CommandRun.agent)' then question end,
            'command', case when agent = '\(CommandRun.agent)' then string_to_array(question, ' ') end)
        """

    private static func timestamp(_ column: String) -> String {
        "to_char(\(column) at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
    }
}

extension Schedules {
    /// What is asked of whom. Errors: `invalid_argument`.
    private static func check(_ schedule: Schedule) throws -> (agent: String, question: String) {
        func check(_ holds: Bool, _ sentence: String) throws {
            guard holds else { throw ServiceError.invalidArgument(sentence) }
        }
        let most = Schedule.maximumNameBytes
        try check((1...most).contains(schedule.name.utf8.count), "A schedule's name has 1 to \(most) bytes.")
        try check(schedule.zone.utf8.count <= most, "There is no time zone of that name.")
        try check((0...3).contains(schedule.priority ?? 0), "priority has to be from 0 to 3.")
        try check((1...100).contains(schedule.tries ?? 1), "tries has to be from 1 to 100.")
        try check(
            (1...EnqueueRun.longestMilliseconds).contains(schedule.deadlineMilliseconds ?? 1),
            "deadline_ms has to be from 1 to \(EnqueueRun.longestMilliseconds)."
        )
        try check(
            (1...Schedule.mostCaughtUp).contains(schedule.catchUpMost ?? 1),
            "catch_up_most has to be from 1 to \(Schedule.mostCaughtUp)."
        )
        switch (schedule.agent, schedule.question, schedule.command) {
        case (let agent?, let question?, nil):
            try check((1...EnqueueRun.maximumNameBytes).contains(agent.utf8.count), "Name the agent.")
            try CommandRun.check(agent)
            try Question(text: question, channel: .schedule).check()
            return (agent, question)
        case (nil, nil, let words?):
            let question = CommandRun.question(words)
            try check(
                CommandRun.words(question) == words && !words.isEmpty
                    && question.utf8.count <= CommandRun.maximumBytes,
                "A command is 1 or more words without spaces, \(CommandRun.maximumBytes) bytes at most."
            )
            return (CommandRun.agent, question)
        default:
            throw ServiceError.invalidArgument("A schedule has either \"agent\" and \"question\", or \"command\".")
        }
    }
}
