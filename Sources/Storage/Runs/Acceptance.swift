import Contract
import Postgres
import Wire

/// How runs come in: the first transitions of `RunMachine`, as statements.
enum Acceptance {
    /// A run a reader waits for.
    struct Opening: Sendable {
        var open: OpenRun
        /// Its first event as it was sent.
        var event: String
    }

    /// Runs that readers wait for, in the order of their ids: the question, the run, its lease, its first event, and its first step
    /// where one is named. For each the answer, or a word of `octavo_open`.
    static func open(_ openings: [Opening]) -> Query {
        "select octavo_open(\(opening: openings))"
    }

    /// Runs accepted for later, in the order of their ids, all of them plain. For each, whether it is new; null when its id
    /// belongs to another question, whose words, agent, reader or channel are others.
    static func enqueue(_ runs: [EnqueueRun]) -> Query {
        "select \(accepting: runs)"
    }

    /// A run accepted for later. The answer is `EnqueueRun.Result`.
    static func enqueue(_ enqueue: EnqueueRun) throws(ServiceError) -> Query {
        try check(enqueue)
        if enqueue.isPlain {
            return """
                select coalesce(
                    (select jsonb_build_object('run', \(enqueue.run.uuid), 'new', is_new)
                        from \(accepting: [enqueue]) as accepted (is_new) where is_new is not null),
                    octavo_raise('OC004', 'The run belongs to another question.'))
                """
        }
        let unique = enqueue.unique
        let milliseconds = "* interval '1 millisecond'"
        return """
            with given as (
                select case when \(unique != nil)
                    then \(enqueue.agent) || ' ' || coalesce('key ' || \(unique?.key)::text,
                        'question ' || encode(sha256(convert_to(\(enqueue.question.text), 'UTF8')), 'hex')) end as key
            ), existing as (
                select run.id, run.agent = \(enqueue.agent) and text = \(enqueue.question.text)
                    and channel = \(enqueue.question.channel.rawValue)
                    and reader is not distinct from \(enqueue.question.reader)
                    and not exists (select from turn where turn.run_id = run.id) as is_same
                from run join question on question.id = run.question_id
                where run.id = \(enqueue.run.uuid)
            ), parent as (
                -- Held, so that it cannot end without this one.
                select run_id from run_work where run_id = \(enqueue.parent?.uuid)::uuid for key share
            ), standing as (
                insert into run_unique as earlier (key, run_id, until, until_ended)
                select key, \(enqueue.run.uuid),
                    now() + \(unique?.seconds)::integer * interval '1 second',
                    \(unique.map { $0.untilEnded ?? ($0.seconds == nil) } ?? false)
                from given where key is not null and not exists (select from existing)
                on conflict (key) do update set run_id = excluded.run_id, until = excluded.until,
                    until_ended = excluded.until_ended
                -- One accepted at this very moment is not seen here, so what counts is whether its end is seen.
                where not (coalesce(earlier.until > now(), false) or earlier.until_ended and not exists (
                    select from run where run.id = earlier.run_id and run.state is not null))
                returning key
            ), asked as (
                insert into question (text, reader, channel)
                select \(enqueue.question.text), \(enqueue.question.reader), \(enqueue.question.channel.rawValue)
                from given
                where not exists (select from existing) and (key is null or exists (select from standing))
                    and (\(enqueue.parent == nil) or exists (select from parent))
                returning id
            ), opened as (
                insert into run (id, question_id, agent, model, parent_id, traceparent)
                select \(enqueue.run.uuid), id, \(enqueue.agent), '', \(enqueue.parent?.uuid)::uuid,
                    \(enqueue.traceparent)
                from asked
                returning id
            ), placed as (
                insert into run_work (run_id, agent, state, ticket, priority, tries, ready_at, deadline_at, lane, lane_width,
                    parent_id)
                select id, \(enqueue.agent), case when \(enqueue.isDue) then 'queued' else 'scheduled' end,
                    case when \(enqueue.isDue) then nextval('run_ticket') end,
                    \(enqueue.priority ?? usualPriority), \(enqueue.tries ?? usualTries),
                    clock_timestamp() + \(enqueue.delayMilliseconds ?? 0)::bigint \(unsafe: milliseconds),
                    clock_timestamp() + \(enqueue.deadlineMilliseconds)::bigint \(unsafe: milliseconds),
                    \(enqueue.lane), case when \(enqueue.lane != nil) then \(enqueue.laneWidth ?? 1)::integer end,
                    \(enqueue.parent?.uuid)::uuid
                from opened
            )
            select coalesce(
                (select jsonb_build_object('run', id, 'new', true) from opened),
                (select jsonb_build_object('run', id, 'new', false) from existing where is_same),
                case when exists (select from existing)
                    then octavo_raise('OC004', 'The run belongs to another question.')
                    when \(enqueue.parent != nil) and not exists (select from parent)
                    then octavo_raise('OC002', 'The run that begins it is not under way.') end,
                (select jsonb_build_object('run', run_id, 'new', false) from run_unique join given using (key)),
                -- Its key was taken at this very moment: the next look sees by whom.
                octavo_raise('40001', 'Another transaction was faster.'))
            """
    }

    /// A run that has ended, once more. The answer is `EnqueueRun.Result`.
    static func retry(_ retry: RetryRun) -> Query {
        """
        with earlier as (
            select run.id, question_id, agent, state, text,
                exists (select from turn where turn.run_id = run.id) as is_turn,
                -- Who retries a list of runs once more means those that nobody has retried.
                (select again.id from run as again where again.retry_of = run.id and again.id <> \(retry.new.uuid)
                    and again.state is distinct from 'failed' and again.state is distinct from 'cancelled' limit 1) as again
            from run join question on question.id = run.question_id
            where run.id = \(retry.run.uuid)
        ), existing as (
            select run.id, retry_of from run where id = \(retry.new.uuid)
        ), opened as (
            insert into run (id, question_id, agent, model, retry_of, traceparent)
            select \(retry.new.uuid), question_id, agent, '', id, \(retry.traceparent) from earlier
            where state is not null and agent <> \(CommandRun.agent) and not is_turn and again is null
                and not exists (select from existing)
            returning id, agent
        ), placed as (
            insert into run_work (run_id, agent, state, ticket, priority, tries)
            select id, agent, 'queued', nextval('run_ticket'), \(usualPriority), \(usualTries) from opened
        )
        select coalesce(
            (select jsonb_build_object('run', id, 'new', true) from opened),
            (select jsonb_build_object('run', id, 'new', false) from existing where retry_of = \(retry.run.uuid)),
            case when exists (select from existing) then octavo_raise('OC004', 'The new run belongs to another question.')
                when exists (select from earlier where agent = \(CommandRun.agent))
                then octavo_raise('OC002', 'It was a command: octavo schedules fire NAME begins it once more.')
                when exists (select from earlier where is_turn)
                then octavo_raise('OC002', 'It is part of a conversation: say it there once more.')
                when exists (select from earlier where state is null)
                then octavo_raise('OC002', 'The run has not ended yet.')
                when exists (select from earlier)
                then octavo_raise('OC002', 'It was asked again already: ' || (select again from earlier) || '.')
                else octavo_raise('OC001', 'There is no such run.') end)
        """
    }

    /// How often a run may fail or be lost.
    static let usualTries = 5
    /// 0 to 3.
    static let usualPriority = 1
    /// The SQLSTATE of a runner that storage knows no longer.
    static let givenUp = "OC005"

    static func check(_ enqueue: EnqueueRun) throws(ServiceError) {
        try enqueue.question.check()
        try enqueue.run.check()
        func check(_ value: Int?, _ range: ClosedRange<Int>, _ name: String) throws(ServiceError) {
            guard let value, !range.contains(value) else { return }
            throw .invalidArgument("\(name) has to be from \(range.lowerBound) to \(range.upperBound).")
        }
        try check(enqueue.priority, 0...3, "priority")
        try RunPolicy(deadlineMilliseconds: enqueue.deadlineMilliseconds, tries: enqueue.tries).check()
        try check(enqueue.laneWidth, 1...1_000, "lane_width")
        try check(enqueue.delayMilliseconds, 0...EnqueueRun.longestMilliseconds, "delay_ms")
        try check(enqueue.unique?.seconds, 1...EnqueueRun.longestMilliseconds / 1_000, "unique.seconds")
        if let unique = enqueue.unique, unique.untilEnded == false, unique.seconds == nil {
            throw .invalidArgument(
                "unique.until_ended is false and there is no unique.seconds: nothing would be unique."
            )
        }
        let names = [(enqueue.agent, "agent"), (enqueue.lane, "lane"), (enqueue.unique?.key, "unique.key")]
        for case (let text?, let name) in names {
            try check(text.utf8.count, 1...EnqueueRun.maximumNameBytes, "The number of bytes of \(name)")
        }
        guard enqueue.lane != nil || enqueue.laneWidth == nil else {
            throw .invalidArgument("lane_width is for a lane: name one.")
        }
    }
}

extension Query.Interpolation {
    /// Runs accepted together, in the order of their ids: a row for each.
    fileprivate mutating func appendInterpolation(accepting runs: [EnqueueRun]) {
        appendLiteral("octavo_enqueue(")
        appendInterpolation(runs.map(\.run.uuid))
        for texts in [runs.map(\.agent), runs.map(\.question.text), runs.map { $0.question.reader ?? "" }] {
            appendLiteral(", ")
            appendInterpolation(texts)
        }
        appendLiteral(", ")
        appendInterpolation(runs.map(\.question.channel.rawValue))
        for integers in [
            runs.map { $0.priority ?? Acceptance.usualPriority }, runs.map { $0.tries ?? Acceptance.usualTries },
        ] {
            appendLiteral(", ")
            appendInterpolation(integers.map { Int32($0) })
        }
        for integers in [runs.map { $0.delayMilliseconds ?? 0 }, runs.map { $0.deadlineMilliseconds ?? 0 }] {
            appendLiteral(", ")
            appendInterpolation(integers)
        }
        appendLiteral(", ")
        appendInterpolation(runs.map { $0.traceparent ?? "" })
        appendLiteral(")")
    }
}

extension Query.Interpolation {
    /// Runs opened together, in the order of their ids: a row for each.
    fileprivate mutating func appendInterpolation(opening openings: [Acceptance.Opening]) {
        let opens = openings.map(\.open)
        func append(_ texts: [String]) {
            appendLiteral(", ")
            appendInterpolation(texts)
        }
        appendInterpolation(opens.map(\.run.uuid))
        append(opens.map(\.runner))
        append(opens.map(\.agent))
        append(opens.map(\.model))
        append(opens.map(\.question.text))
        append(opens.map { $0.question.reader ?? "" })
        append(opens.map(\.question.channel.rawValue))
        appendLiteral(", ")
        appendInterpolation(opens.map { Int32($0.tries ?? Acceptance.usualTries) })
        appendLiteral(", ")
        appendInterpolation(opens.map { $0.deadlineMilliseconds ?? 0 })
        append(openings.map(\.event))
        append(opens.map { $0.step?.step ?? "" })
        append(opens.map { $0.step?.digest ?? "" })
        appendLiteral(", ")
        appendInterpolation(opens.map { $0.step?.tokens ?? 0 })
        appendLiteral(", ")
        // None where the runner does not know.
        appendInterpolation(opens.map { $0.step?.microdollars ?? -1 })
        append(opens.map { $0.traceparent ?? "" })
    }
}

extension EnqueueRun {
    /// Whether nothing is to be looked at but its id, so that it can be accepted together with others.
    var isPlain: Bool { lane == nil && unique == nil && parent == nil }

    fileprivate var isDue: Bool { (delayMilliseconds ?? 0) == 0 }
}

extension ServiceError {
    /// Whether storage knows the runner no longer.
    var isGivenUp: Bool { details == Self.givenUp.details && code == .failedPrecondition }

    /// To a runner that storage knows no longer.
    static let givenUp = ServiceError(
        .failedPrecondition,
        "The runner was given up, since nobody has heard of it; claim again.",
        details: JSON(trusted: #"{"state":"given_up"}"#)
    )
}
