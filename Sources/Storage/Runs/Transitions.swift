import Contract
import FoundationEssentials
import Postgres

/// What happens to runs that were accepted: the transitions of `RunMachine`, as statements. Each checks where the run
/// stands, and changes it, in one.
enum Transitions {
    typealias Lease = RunMachine.Lease

    /// What the holder of a lease has stored: its next events, and how the run ended when the last of them is `finished`.
    struct Write: Sendable {
        var run: RunID
        var lease: Lease
        /// The numbers of the first and of the last event.
        var numbers: ClosedRange<Int>
        /// The events as they were sent: whoever follows later gets the same bytes.
        var events: String
        var outcome: Outcome?
        /// With it: steps that have ended just before, as they were sent.
        var ended = "[]"
    }

    /// Events of holders of leases, in the order of their runs, none of which has finished. For each whether it was done, or
    /// was done before: what is stored already may be sent again.
    static func append(_ writes: [Write]) -> Query {
        "select octavo_append(\(writes))"
    }

    /// The same, where the last event of each is `finished`.
    static func finish(_ writes: [Write]) -> Query {
        """
        select octavo_finish(\(writes), \(writes.map { $0.outcome?.state.rawValue ?? "" }),
            \(writes.map { $0.outcome?.model ?? "" }), \(writes.map(\.ended)))
        """
    }

    /// Gives a lease back; no try is counted.
    static func drain(_ run: UUID, _ lease: Lease) -> Query {
        """
        update run_work set state = 'queued', ticket = nextval('run_ticket'), runner = null, leased_at = null
        where run_id = \(run) and state = 'running' and runner = \(lease.runner) and attempt = \(lease.attempt)
        returning run_id
        """
    }

    /// An attempt that cannot go on before a person has decided.
    static func await(_ run: UUID, _ lease: Lease) -> Query {
        "select octavo_await(\(run), \(lease.runner), \(lease.attempt)::integer)"
    }

    /// What nobody has decided in time. The answer are the runs that go on.
    static func expireApprovals(most: Int) -> Query {
        "select octavo_expire_approvals(\(most)::integer)"
    }

    /// An attempt that failed by something that may pass. Both times in milliseconds: it is not tried again before the one is over,
    /// nor after the other. `isHeld`: its provider is left alone.
    static func fail(
        _ run: UUID,
        _ lease: Lease,
        _ failure: Outcome.Failure,
        pause: Int,
        within remaining: Int? = nil,
        isHeld: Bool = false
    ) -> Query {
        """
        select octavo_fail(\(run), \(lease.runner), \(lease.attempt)::integer, \(failure.code), \(failure.message),
            \(pause)::bigint * interval '1 millisecond', \(remaining)::bigint * interval '1 millisecond',
            \(isHeld))
        """
    }

    /// Ends one lease whose run is not carried out.
    static func lose(_ run: UUID, _ lease: Lease) -> Query {
        """
        select octavo_lose(array_agg(run_id), array_agg(attempt)) from run_work
        where run_id = \(run) and state = 'running' and runner = \(lease.runner) and attempt = \(lease.attempt)
        having count(*) > 0
        """
    }

    /// Ends the leases of runs the runner does not know of: they were lost between the lease and the runner. What was leased
    /// a moment ago may still be on its way.
    static func lose(unknownTo runner: String, holding: [UUID], underWay: Double) -> Query {
        """
        select octavo_lose(array_agg(run_id), array_agg(attempt)) from run_work
        where state = 'running' and runner = \(runner) and run_id <> all(\(holding)::uuid[])
            and leased_at < clock_timestamp() - \(underWay)::float8 * interval '1 second'
        having count(*) > 0
        """
    }

    /// Gives up a runner that was lost with its connection, or all that nobody has heard of for too long, with all their
    /// leases: one transaction. The lock comes first, so that a lease that is being given at this moment is seen by what
    /// follows, or not given any more.
    static func giveUp(_ lost: (runner: String, session: Int64)?) -> [Query] {
        [
            "select from runner where \(isGone: lost) order by id for update",
            """
            select octavo_lose(array_agg(run_id), array_agg(attempt)) from run_work
            where state = 'running' and runner in (select id from runner where \(isGone: lost))
            having count(*) > 0
            """,
            """
            update outbox set \(unsafe: lostMessage("Its sender was lost."))
            where state = 'sending' and holder in (select id from runner where \(isGone: lost))
            """,
            "delete from runner where \(isGone: lost)",
        ]
    }

    /// What becomes of a message of which nobody knows whether it was sent: it is tried again, if it may be.
    static func lostMessage(_ why: String) -> String {
        """
        holder = null, next_at = clock_timestamp(), error = '\(why)',
            state = case when attempt < tries then 'unknown' else 'dead' end,
            ended_at = case when attempt >= tries then clock_timestamp() end
        """
    }

    /// Ends a run, and the runs it has begun. The answer are the leases that ended with them.
    static func cancel(_ run: UUID) -> Query {
        """
        select * from octavo_conclude_all(array[\(run)]::uuid[], 'cancelled', 'cancelled', 'The run was cancelled.')
        """
    }

    /// Scheduled runs whose time has come. Those due long ago are looked for by a sweep, now and then.
    static func fallDue(most: Int, sweep: Bool) -> Query {
        """
        with due as (
            select run_id, lane from run_work
            where state = 'scheduled' and ready_at <= clock_timestamp() and ready_at > \(unsafe: past(sweep))
            order by ready_at limit \(most) for update skip locked
        ), lane as materialized (
            -- In the order of octavo_conclude, since each of them is entered below. Whoever ends runs by octavo_finish takes their lanes in
            -- the order of the runs: the two may wait for each other, and who is refused then tries again.
            select pg_advisory_xact_lock(key) from (
                select distinct hashtextextended(lane, 1) as key from due where lane is not null order by key) as lane
        )
        update run_work set state = 'queued', ticket = nextval('run_ticket')
        from due where run_work.run_id = due.run_id and (select count(*) from lane) >= 0
        returning run_work.run_id
        """
    }

    /// Runs whose deadline is over. The answer are the leases that ended with them.
    static func expire(most: Int, sweep: Bool) -> Query {
        """
        select ended.* from (
            select array_agg(run_id) as runs from (
                select run_id from run_work
                where deadline_at <= clock_timestamp() and deadline_at > \(unsafe: past(sweep))
                order by deadline_at limit \(most) for update skip locked
            ) as late
        ) as late, octavo_conclude_all(
            late.runs, 'failed', 'deadline_exceeded', 'The run was not finished before its deadline.') as ended
        """
    }

    /// Starts that no limit counts any more. Not a part of the claim, which would read all that was ever forgotten as long as somebody
    /// holds an old snapshot.
    static let forgetStarts: Query = """
        delete from agent_start where not exists (
            select from agent_limit as limits
            where limits.agent = agent_start.agent and agent_start.at > clock_timestamp() - per)
        """

    /// Milliseconds until the next run falls due or meets its deadline, or an approval expires; null when none will.
    static let untilNext: Query = """
        select ceil(extract(epoch from least(
            (select min(ready_at) from run_work where state = 'scheduled' and ready_at > \(unsafe: past(false))),
            (select min(deadline_at) from run_work where deadline_at > \(unsafe: past(false))),
            (select min(expires_at) from approval where state = 'pending')
        ) - clock_timestamp()) * 1000)::float8
        """

    /// From where an index by time is read. What lies behind was done long ago, and its entries may still be there as long as
    /// somebody holds an old snapshot. Longer than any transaction lasts that accepts a run.
    private static func past(_ sweep: Bool) -> String {
        sweep ? "'-infinity'" : "clock_timestamp() - interval '15 minutes'"
    }
}

extension Query.Interpolation {
    /// Whether a row of `runner` is this one, or one nobody has heard of for too long. `now()` is the transaction's, so that
    /// each of its statements means the same rows.
    fileprivate mutating func appendInterpolation(isGone lost: (runner: String, session: Int64)?) {
        guard let lost else { return appendLiteral("alive_until < now()") }
        appendLiteral("id = ")
        appendInterpolation(lost.runner)
        appendLiteral(" and session = ")
        appendInterpolation(lost.session)
    }

    /// What both kinds of writes have.
    fileprivate mutating func appendInterpolation(_ writes: [Transitions.Write]) {
        appendInterpolation(writes.map(\.run.uuid))
        appendLiteral(", ")
        appendInterpolation(writes.map(\.lease.runner))
        for integers in [
            writes.map(\.lease.attempt), writes.map(\.numbers.lowerBound), writes.map(\.numbers.upperBound),
        ] {
            appendLiteral(", ")
            appendInterpolation(integers.map { Int32(clamping: $0) })
        }
        appendLiteral(", ")
        appendInterpolation(writes.map(\.events))
    }
}
