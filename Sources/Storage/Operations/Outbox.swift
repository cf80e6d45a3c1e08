import Contract
import NIOCore
import Postgres
import RPC
import Synchronization
import Wire

/// The outbox: gives out what is to be said, and stores how it fared. What is said is written by those who cause it.
struct Outbox: Sendable {
    /// A claim is offered anew after this time, so that what the runner holds is compared now and then.
    private static let claimDuration = Duration.seconds(120)
    /// Messages of one look.
    private static let most = 64

    let database: Database
    let signals: RunSignals
    let leases: Leases

    func add(to operations: inout Operations) {
        operations.onStream(ClaimMessages.self, standing: true) { try await claim($0, $1, $2) }
        operations.on(SettleMessage.self) { try await settle($0, $1) }
    }

    private func claim(
        _ claim: ClaimMessages,
        _ call: CallContext,
        _ items: ItemWriter<ClaimMessages.Item>
    ) async throws -> Done {
        let deadline = ContinuousClock.now + .seconds(10)
        try await leases.connected(claim.runner, on: call.connection, anew: true, deadline: deadline)
        try await release(unknownTo: claim, deadline: deadline)
        return try await signals.subscribed(to: .outbox) { signal in
            let end = ContinuousClock.now + Self.claimDuration
            while ContinuousClock.now < end {
                let rows = try await database.rowsByIndex(
                    """
                    select case when traceparent is null then document
                            else document || jsonb_build_object('traceparent', traceparent) end,
                        extract(epoch from again)::float8, exists (select from outbox_destination)
                    from (values (1)) as once left join
                        octavo_claim_messages(\(claim.runner), \(Self.most)::integer) on true left join lateral (
                            select (select run.traceparent from run where run.id = outbox.run_id) as traceparent
                            from outbox where outbox.id = (document ->> 'message')::bigint
                        ) as told on true
                    """,
                    deadline: .now + .seconds(10)
                )
                var wait = ContinuousClock.now.duration(to: end)
                for row in rows {
                    signals.hasDestinations.store(try row[2, as: Bool.self], ordering: .relaxed)
                    if try !row.isNull(0) {
                        try await items.send(json: JSON(trusted: ByteBuffer(bytes: try row.bytes(0))))
                        wait = .zero
                    } else if let again = try row[1, as: Double?.self] {
                        wait = min(wait, .seconds(max(0.01, again)))
                    }
                }
                if wait > .zero { await signal.wait(for: wait) }
                try Task.checkCancellation()
            }
            return Done()
        }
    }

    /// What is leased to the runner and was lost on its way there: it was not sent, but nobody can tell that from one that was.
    private func release(unknownTo claim: ClaimMessages, deadline: ContinuousClock.Instant) async throws {
        _ = try await database.rows(
            """
            update outbox set \(unsafe: Transitions.lostMessage("It was lost on its way to its sender."))
            where state = 'sending' and holder = \(claim.runner) and id <> all(\(claim.holding)::bigint[])
                and leased_at < clock_timestamp() - \(Leases.underWay)::float8 * interval '1 second'
            """,
            deadline: deadline
        )
    }

    private func settle(_ settle: SettleMessage, _ call: CallContext) async throws -> Done {
        let hold = min(max(0, settle.afterMilliseconds ?? 0), SettleMessage.longestMilliseconds)
        let error = settle.error.map {
            String(decoding: $0.utf8.prefix(SettleMessage.maximumErrorBytes), as: UTF8.self)
        }
        let rows = try await database.rows(
            """
            select octavo_settle(\(settle.message), \(settle.runner), \(settle.attempt)::integer,
                \(settle.verdict.rawValue), \(settle.status)::integer, \(error),
                \(OutboxPause.after(settle.attempt)) * interval '1 second', \(hold)::bigint * interval '1 millisecond')
            """,
            deadline: call.deadline
        )
        guard try rows.first?[0, as: Bool.self] == true else {
            throw ServiceError.failedPrecondition("The lease of message \(settle.message) is lost.")
        }
        signals.signal(.outbox)
        return Done()
    }
}
