import Contract
import OctavoTesting
import Postgres
import RPC
import Testing
import Wire

@testable import Storage

/// Who carries out what, and what is refused to those who do not.
@Suite(.serialized) struct LeaseTests {
    private func withHost(_ body: @Sendable @escaping (StorageHost) async throws -> Void) async throws {
        try await StorageHost.run(database: TestDatabase.make(), body)
    }

    @Test func theEndOfARunnersConnectionFreesItsRunsAtOnceAndItsWritesAreRefused() async throws {
        try await withHost { host in
            let run = try await host.admin.enqueue().run
            let first = try await host.withRunner { try await $0.claim(1, as: "a")[0] }
            // The connection is gone, and it goes on elsewhere.
            try await host.withRunner { runner in
                let second = try await runner.claim(1, as: "b")[0]
                #expect(second.run == run && second.attempt == 2)
                await #expect { try await runner.finish(first, as: "a") } throws: {
                    ($0 as? ServiceError)?.code == .failedPrecondition
                }
                await #expect { try await runner.finish(second, as: "a") } throws: {
                    ($0 as? ServiceError)?.code == .failedPrecondition
                }
                try await runner.finish(second, as: "b")
            }
        }
    }

    @Test func aRunnerNobodyHasHeardOfIsGivenUpByWhicheverHostNotices() async throws {
        let database = try await TestDatabase.make()
        let connection = try await PostgresConnection.connect(PostgresConfiguration(database))
        // A lease of a runner whose host is gone, and one of a runner that is alive elsewhere.
        try await connection.run(
            script:
                "insert into runner values ('gone', 1, now() - interval '1 second'), ('alive', 1, now() + interval '1 hour')"
        )
        var runs: [RunID] = []
        for runner in ["gone", "alive"] {
            let event = RunEvent(sequence: 1, at: "", body: .status("…"))
            let question = Question(text: "How?", channel: .http)
            runs.append(.new())
            let open = OpenRun(
                run: runs[runs.count - 1],
                agent: "echo",
                model: "m",
                question: question,
                runner: runner,
                event: event
            )
            try await connection.query(Acceptance.open([.init(open: open, event: JSON(encoding: event).description)]))
        }
        try await connection.transaction(Transitions.giveUp(nil))
        let states = try await connection.query("select run_id, state, failures from run_work order by run_id")
        #expect(try states.map { try $0["state", as: String.self] } == ["queued", "running"])
        #expect(try states[0]["failures", as: Int.self] == 1)
        let left = try await connection.query("select id from runner")
        #expect(try left.map { try $0[0, as: String.self] } == ["alive"])
        await connection.close()
    }

    @Test func aRunnerThatIsBackOnAnotherConnectionIsNotGivenUpForTheFirst() async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(TestDatabase.make()))
        try await connection.query("insert into runner values ('a', 2, 'infinity')")
        try await connection.transaction(Transitions.giveUp(("a", 1)))
        let left = try await connection.query("select from runner")
        #expect(left.count == 1)
        await connection.close()
    }

    @Test func aRunnerThatWasGivenUpGetsNothingUntilItClaimsAgain() async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(TestDatabase.make()))
        let statement = RunQueue.statement(for: "a", [.init(agent: "echo", provider: "p")], most: 1)
        await #expect { try await connection.query(statement) } throws: {
            ($0 as? PostgresError).map { ServiceError($0).isGivenUp } == true
        }
        await connection.close()
    }

    @Test func cancellingEndsTheRunAndThoseItHasBegunAndTellsTheirRunners() async throws {
        try await withHost { host in
            let parent = try await host.admin.enqueue("parent").run
            try await host.withRunner { runner in
                let stream = runner.claims(as: "a", ["parent", "child"])
                var iterator = stream.items.makeAsyncIterator()
                guard case .lease(let lease)? = try await iterator.next() else { throw NoLease() }
                #expect(lease.run == parent)
                let child = try await host.admin.enqueue("child") { $0.parent = parent }.run
                guard case .lease(let begun)? = try await iterator.next() else { throw NoLease() }
                let grandchild = try await host.admin.enqueue("later") { $0.parent = child }.run

                _ = try await host.admin.perform(CancelRun(run: parent))
                let stops = [try await iterator.next(), try await iterator.next()]
                #expect(stops.contains(.stop(.init(run: parent, attempt: 1))))
                #expect(stops.contains(.stop(.init(run: child, attempt: 1))))
                for run in [parent, child, grandchild] {
                    let found = try await host.admin.perform(GetRun(run: run))
                    #expect(found.state == .cancelled && found.outcome?.state == .cancelled)
                }
                await #expect(throws: ServiceError.self) { try await runner.finish(begun, as: "a") }
                // Once more is no error; and nothing is begun by what has ended.
                _ = try await host.admin.perform(CancelRun(run: parent))
                await #expect { try await host.admin.enqueue("child") { $0.parent = parent } } throws: {
                    ($0 as? ServiceError)?.code == .failedPrecondition
                }
            }
        }
    }

    @Test func whoCancelsIsNotTheOneThatLosesARaceForALane() async throws {
        let database = try await TestDatabase.make()
        try await StorageHost.run(database: database) { host in
            let parent = try await host.admin.enqueue("parent").run
            for lane in ["one", "two"] {
                try await host.admin.enqueue { ($0.parent, $0.lane) = (parent, lane) }
            }
            let lanes = try await values(
                database,
                "select hashtextextended(lane, 1) from run_work where has_turn order by 1"
            )
            // Somebody who holds the second lane and wants the first, and is not the one who gives up.
            let other = try await PostgresConnection.connect(PostgresConfiguration(database))
            try await other.query("set deadlock_timeout = '60 s'")
            try await other.query("begin")
            try await other.query("select from pg_advisory_xact_lock(\(lanes[1]))")
            async let cancelled = host.admin.perform(CancelRun(run: parent))
            try await eventually {
                let waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
                return try await values(database, waiting) == [1]
            }
            try await other.query("select from pg_advisory_xact_lock(\(lanes[0]))")
            try await other.query("commit")
            await other.close()
            _ = try await cancelled
            let state = try await host.admin.state(of: parent)
            #expect(state == .cancelled)
        }
    }

    @Test func whatHasEndedOtherwiseIsNotCancelled() async throws {
        try await withHost { host in
            let run = try await host.admin.enqueue().run
            try await host.withRunner { runner in
                try await runner.finish(try await runner.claim(1, as: "a")[0], as: "a")
            }
            await #expect { try await host.admin.perform(CancelRun(run: run)) } throws: {
                ($0 as? ServiceError)?.code == .failedPrecondition
            }
            await #expect { try await host.admin.perform(CancelRun(run: .new())) } throws: {
                ($0 as? ServiceError)?.code == .notFound
            }
        }
    }

    @Test func aRunEndsAtItsDeadlineWhateverItsRunnerDoes() async throws {
        let database = try await TestDatabase.make()
        try await StorageHost.run(database: database) { host in
            let run = try await host.admin.enqueue { $0.deadlineMilliseconds = 3_600_000 }.run
            try await host.withRunner { runner in
                var iterator = runner.claims(as: "a").items.makeAsyncIterator()
                guard case .lease? = try await iterator.next() else { throw NoLease() }
                // Its time is over; the clock sees it at its next look.
                try await sql(database, "update run_work set deadline_at = clock_timestamp()")
                let stop = try await iterator.next()
                #expect(stop == .stop(.init(run: run, attempt: 1)))
            }
            let found = try await host.admin.perform(GetRun(run: run))
            #expect(found.state == .failed && found.outcome?.error?.code == "deadline_exceeded")
        }
    }

    @Test func aRunnerThatIsStoppedGivesItsRunsBackForFree() async throws {
        try await withHost { host in
            let run = try await host.admin.enqueue { $0.tries = 1 }.run
            for attempt in 1...3 {
                try await host.withRunner { runner in
                    let lease = try await runner.claim(1, as: "a", room: 1)[0]
                    #expect(lease.attempt == attempt)
                    // Its claim may still be open here, and would take the run at once; with room for one it looked for no other.
                    _ = try await runner.perform(SetRoom(runner: "a", room: 0))
                    _ = try await runner.perform(ReleaseRun(run: run, runner: "a", attempt: attempt, reason: .drained))
                }
            }
            let found = try await host.admin.perform(GetRun(run: run))
            #expect(found.state == .queued && found.failures == 0)
        }
    }

    @Test func whatARunnerHoldsWithoutALeaseItIsToldToStop() async throws {
        try await withHost { host in
            let run = try await host.admin.enqueue().run
            _ = try await host.admin.perform(CancelRun(run: run))
            try await host.withRunner { runner in
                let claim = ClaimRuns(
                    runner: "a",
                    offers: [.init(agent: "echo", provider: "p")],
                    room: 1,
                    holding: [run, .new()]
                )
                for try await item in runner.stream(claim).items {
                    #expect(item == .stop(.init(run: run, attempt: 0)))
                    break
                }
            }
        }
    }

    @Test func aRunnerGetsNoMoreThanItHasRoomFor() async throws {
        try await withHost { host in
            for _ in 0..<5 { try await host.admin.enqueue() }
            try await host.withRunner { runner in
                var leases: [ClaimRuns.Lease] = []
                var iterator = runner.claims(as: "a", room: 2).items.makeAsyncIterator()
                while leases.count < 2, case .lease(let lease)? = try await iterator.next() { leases.append(lease) }
                let queued = try await host.admin.perform(ListRuns(state: .queued)).runs.count
                #expect(queued == 3)
                try await runner.finish(leases[0], as: "a")
                guard case .lease? = try await iterator.next() else { throw NoLease() }
                let left = try await host.admin.perform(ListRuns(state: .queued)).runs.count
                #expect(left == 2)
            }
        }
    }
}
