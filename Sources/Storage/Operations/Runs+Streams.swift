import Contract
import FoundationEssentials
import NIOCore
import Postgres
import RPC
import Synchronization
import Wire

extension Runs {
    /// Events read at once: some hundred kilobytes at most, since an event is a claim of an answer.
    private static let page = 200
    /// A claim is offered anew after this time, so that what the runner holds is compared now and then.
    private static let claimDuration = Duration.seconds(120)
    /// How long the room of a runner that was full gathers before it is filled again: a claim for each run that ends would be
    /// dear where many do.
    private static let gathering = Duration.milliseconds(5)
    /// The same as `claimDuration` where leases may have been lost on the way a moment ago: by then it is known. And where what other
    /// hosts want to be stopped is not heard.
    private static let doubtDuration = Duration.seconds(Leases.underWay + 1)

    /// The events of a run behind a number, then those to come, until it has ended.
    func follow(_ follow: FollowRun, _ call: CallContext, _ items: ItemWriter<RunEvent>) async throws -> Done {
        try await signals.subscribed(to: .run(follow.run)) { signal in
            var last = follow.after
            while true {
                let rows = try await events(of: follow.run, after: last)
                guard let run = rows.first else { throw ServiceError.notFound("There is no run \(follow.run).") }
                for row in rows where try !row.isNull(2) {
                    try await items.send(json: JSON(trusted: ByteBuffer(bytes: try row.bytes(2))))
                    last = Int(try row[1, as: Int32.self])
                }
                if try run[0, as: Bool.self], rows.count < Self.page { return Done() }
                if rows.count < Self.page { await signal.wait() }
                try Task.checkCancellation()
            }
        }
    }

    /// A row an event; one row without an event when there is none yet, none when there is no such run.
    private func events(of run: RunID, after: Int) async throws -> Rows {
        try await database.rows(
            """
            select run.state is not null, run_event.sequence, run_event.event
            from run left join run_event on run_event.run_id = run.id and run_event.sequence > \(after)
            where run.id = \(run.uuid)
            order by run_event.sequence limit \(Self.page)
            """,
            isReadOnly: true,
            deadline: .now + .seconds(10)
        )
    }

    /// Leases runs to a runner as long as it asks, and tells it what to stop.
    func claim(_ claim: ClaimRuns, _ call: CallContext, _ items: ItemWriter<ClaimRuns.Item>) async throws -> Done {
        guard (1...ClaimRuns.maximumOffers).contains(claim.offers.count) else {
            throw ServiceError.invalidArgument("offers has 1 to \(ClaimRuns.maximumOffers) agents.")
        }
        try Self.check(room: claim.room)
        guard claim.offers.allSatisfy({ ($0.agent == CommandRun.agent) == (call.role == .admin) }) else {
            throw ServiceError.permissionDenied("Commands, and nothing else, are carried out by administrators.")
        }
        let runner = claim.runner
        let deadline = ContinuousClock.now + .seconds(10)
        try await leases.connected(runner, on: call.connection, anew: true, deadline: deadline)
        leases.holds(runner, claim.holding, room: claim.room)
        // From here on; what was missed before is found by the comparison.
        let misses = signals.misses.load(ordering: .relaxed)
        let isDeaf = signals.isDeaf.load(ordering: .relaxed)
        return try await signals.subscribed(to: .queue, .runner(runner)) { signal in
            let isInDoubt = try await compare(claim, items, deadline: deadline)
            let end = ContinuousClock.now + (isInDoubt || isDeaf ? Self.doubtDuration : Self.claimDuration)
            while ContinuousClock.now < end, signals.misses.load(ordering: .relaxed) == misses {
                for stop in signals.takeStops(of: runner) { try await items.send(.stop(stop)) }
                let room = min(RunQueue.most, leases.room(of: runner))
                let found = room > 0 ? try await queue.claim(for: runner, claim.offers, most: room) : nil
                let leased = found?.leases ?? []
                leases.leased(leased.compactMap(\.run), to: runner)
                for lease in leased { try await items.send(json: lease) }
                if leased.isEmpty { await signal.wait(for: found?.again ?? ContinuousClock.now.duration(to: end)) }
                if room <= 0 { try await Task.sleep(for: Self.gathering) }
                try Task.checkCancellation()
            }
            return Done()
        }
    }

    /// How many runs the runner of an open claim wants to have at a time from now on.
    func set(_ set: SetRoom) throws -> Done {
        try Self.check(room: set.room)
        leases.setRoom(of: set.runner, set.room)
        return Done()
    }

    private static func check(room: Int) throws(ServiceError) {
        guard (0...ClaimRuns.maximumRoom).contains(room) else {
            throw .invalidArgument("room has to be from 0 to \(ClaimRuns.maximumRoom).")
        }
    }

    /// What the runner says it holds, and what it does hold: the one may have been lost on the way, the other taken away.
    /// Whether there are leases that may have been lost, or may be on their way.
    private func compare(
        _ claim: ClaimRuns,
        _ items: ItemWriter<ClaimRuns.Item>,
        deadline: ContinuousClock.Instant
    ) async throws -> Bool {
        let holding = claim.holding.map(\.uuid)
        let lost = try await database.rows(
            Transitions.lose(unknownTo: claim.runner, holding: holding, underWay: Leases.underWay),
            deadline: deadline
        )
        if !lost.isEmpty { signals.signal(.queue) }
        // One that is not there at all is being opened at this moment.
        let over = try await database.rows(
            """
            select run.id, coalesce(run_work.attempt, run.attempt)
            from run left join run_work on run_work.run_id = run.id
            where run.id = any(\(holding)::uuid[]) and run_work.runner is distinct from \(claim.runner)
            """,
            isReadOnly: true,
            deadline: deadline
        )
        for row in over {
            guard let run = RunID(try row[0, as: UUID.self].uuidString) else { continue }
            leases.over(run, of: claim.runner)
            try await items.send(.stop(ClaimRuns.Stop(run: run, attempt: Int(try row[1, as: Int32.self]))))
        }
        let unknown = try await database.rows(
            """
            select exists (
                select from run_work
                where state = 'running' and runner = \(claim.runner) and run_id <> all(\(holding)::uuid[]))
            """,
            isReadOnly: true,
            deadline: deadline
        )
        return try unknown.first?[0, as: Bool.self] ?? false
    }
}

extension JSON {
    /// The run of a lease.
    fileprivate var run: RunID? {
        member("run").flatMap { RunID($0.description.filter { $0 != "\"" }) }
    }
}
