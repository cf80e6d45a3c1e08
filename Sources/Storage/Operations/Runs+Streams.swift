import Contract
import NIOCore
import Postgres
import RPC
import Wire

extension Runs {
    /// Events read at once: some hundred kilobytes at most, since an event is a claim of an answer.
    private static let page = 200
    /// A claim is offered anew after this time, so that what the runner holds is compared now and then.
    private static let claimDuration = Duration.seconds(120)

    /// The events of a run behind a number, then those to come, until it has ended.
    func follow(_ follow: FollowRun, _ call: CallContext, _ items: ItemWriter<RunEvent>) async throws -> Done {
        try await signals.subscribed(to: .run(follow.run)) { signals in
            var last = follow.after
            var signals = signals.makeAsyncIterator()
            while true {
                let rows = try await events(of: follow.run, after: last)
                guard let run = rows.first else { throw ServiceError.notFound("There is no run \(follow.run).") }
                for row in rows where try !row.isNull(2) {
                    try await items.send(json: JSON(trusted: ByteBuffer(bytes: try row.bytes(2))))
                    last = Int(try row[1, as: Int32.self])
                }
                if try run[0, as: Bool.self], rows.count < Self.page { return Done() }
                if rows.count < Self.page { _ = await signals.next() }
                try Task.checkCancellation()
            }
        }
    }

    /// A row an event; one row without an event when there is none yet, none when there is no such run.
    private func events(of run: RunID, after: Int) async throws -> Rows {
        try await database.rows(
            """
            select run.state not in ('queued', 'running'), run_event.sequence, run_event.event
            from run left join run_event on run_event.run_id = run.id and run_event.sequence > \(after)
            where run.id = \(run.uuid)
            order by run_event.sequence limit \(Self.page)
            """,
            isReadOnly: true,
            deadline: .now + .seconds(10)
        )
    }

    /// Leases runs to a runner as long as it asks.
    func claim(_ claim: ClaimRuns, _ call: CallContext, _ items: ItemWriter<ClaimRuns.Item>) async throws -> Done {
        leases.connected(claim.runner, on: call.connection)
        try await leases.release(unknownTo: claim.runner, holding: claim.holding, deadline: .now + .seconds(10))
        let end = ContinuousClock.now + Self.claimDuration
        return try await signals.subscribed(to: .queue) { signals in
            var signals = signals.makeAsyncIterator()
            while ContinuousClock.now < end {
                let rows = try await lease(to: claim.runner)
                for row in rows {
                    let item = JSON(trusted: ByteBuffer(bytes: try row.bytes(0)))
                    try await items.send(json: item)
                }
                if rows.isEmpty { _ = await signals.next() }
                try Task.checkCancellation()
            }
            return Done()
        }
    }

    private func lease(to runner: String) async throws -> Rows {
        try await database.rows(
            """
            with next as (
                select id from run where state = 'queued' order by id limit 8 for update skip locked
            ), leased as (
                update run set state = 'running', runner = \(runner), attempt = attempt + 1, leased_at = now(),
                    lease_until = now() + \(Leases.seconds)::float8 * interval '1 second'
                from next where run.id = next.id
                returning run.id, run.agent, run.attempt, run.events, run.question_id
            )
            select jsonb_build_object(
                'run', leased.id, 'agent', leased.agent, 'attempt', leased.attempt, 'next', leased.events + 1,
                'question', jsonb_strip_nulls(jsonb_build_object(
                    'text', question.text, 'reader', question.reader, 'channel', question.channel)))
            from leased join question on question.id = leased.question_id
            order by leased.id
            """,
            deadline: .now + .seconds(10)
        )
    }
}
