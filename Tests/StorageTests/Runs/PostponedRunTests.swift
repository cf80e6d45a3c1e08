import Contract
import OctavoTesting
import Postgres
import RPC
import Testing
import Wire

@testable import Storage

/// Runs whose attempts failed by something that may pass.
@Suite(.serialized) struct PostponedRunTests {
    func withHost(_ body: @Sendable @escaping (StorageHost) async throws -> Void) async throws {
        try await StorageHost.run(database: TestDatabase.make(), body)
    }

    @Test func whoeverFollowsARunIsToldWhyItIsTriedAgainAndWhen() async throws {
        try await withHost { host in
            let run = try await host.admin.enqueue().run
            try await host.withRunner { runner in
                _ = try await runner.claim(1, as: "a")
                var release = ReleaseRun(run: run, runner: "a", attempt: 1, reason: .failed)
                release.error = Outcome.Failure(code: "unavailable", message: "It is away.")
                release.afterMilliseconds = 60_000
                _ = try await runner.perform(release)
            }
            let found = try await host.admin.perform(GetRun(run: run))
            #expect(found.state == .scheduled && found.events == 1)
            for try await event in host.admin.stream(FollowRun(run: run), deadline: .seconds(30)).items {
                let told = Postponement(
                    attempt: 1,
                    code: "unavailable",
                    message: "It is away.",
                    until: try #require(found.due)
                )
                #expect(event.body == .postponed(told) && told.until > event.at)
                break
            }
        }
    }

    @Test func whoWaitsForAProviderLosesNoTriesForFourMinutes() async throws {
        let database = try await TestDatabase.make()
        try await StorageHost.run(database: database) { host in
            let run = try await host.admin.enqueue { $0.tries = 1 }.run
            func hold(_ attempt: Int) async throws -> RunState {
                try await sql(database, "update run_work set ready_at = now() where state = 'scheduled'")
                try await host.withRunner { runner in
                    _ = try await runner.claim(1, as: "a")
                    let error = Outcome.Failure(code: "unavailable", message: "It is left alone.")
                    _ = try await runner.perform(
                        ReleaseRun(run: run, runner: "a", attempt: attempt, reason: .held, error: error)
                    )
                }
                return try await host.admin.perform(GetRun(run: run)).state
            }
            for attempt in 1...3 {
                let state = try await hold(attempt)
                #expect(state == .scheduled)
            }
            try await sql(database, "update run_work set held_since = held_since - interval '5 minutes'")
            let state = try await hold(4)
            #expect(state == .failed)
        }
    }

    @Test func whoIsHeldIsTriedAgainEverMoreRarelyAndAFailureAfterItIsNotMadeToWaitForThat() async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(TestDatabase.make()))
        let run = EnqueueRun(run: .new(), agent: "a", question: Question(text: "?", channel: .http))
        try await connection.query(Acceptance.enqueue([run]))
        let failure = Outcome.Failure(code: "unavailable", message: "Away.")
        func pause(isHeld: Bool, attempt: Int) async throws -> Double {
            let lease = RunMachine.Lease(runner: "a", attempt: attempt)
            try await connection.query(
                """
                update run_work set state = 'running', ticket = null, runner = 'a', leased_at = now(),
                    attempt = \(attempt)::integer
                """
            )
            try await connection.query(Transitions.fail(run.run.uuid, lease, failure, pause: 0, isHeld: isHeld))
            let rows = try await connection.query(
                "select extract(epoch from ready_at - clock_timestamp())::float8 from run_work"
            )
            return try rows[0][0, as: Double.self]
        }
        var pauses: [Double] = []
        for attempt in 1...8 { pauses.append(try await pause(isHeld: true, attempt: attempt)) }
        #expect(pauses[0] < 1.2 && pauses[4] > 15 && pauses[7] > 29 && pauses[7] < 34, "\(pauses)")
        let failed = try await pause(isHeld: false, attempt: 9)
        #expect(failed < 1.1)
        await connection.close()
    }

    @Test(arguments: [true, false]) func aRunWhoseTimeIsOverBeforeTheNextTryEndsAtOnce(hasTime: Bool) async throws {
        try await withHost { host in
            let run = try await host.admin.enqueue().run
            try await host.withRunner { runner in
                _ = try await runner.claim(1, as: "a")
                var release = ReleaseRun(run: run, runner: "a", attempt: 1, reason: .failed)
                release.error = Outcome.Failure(code: "unavailable", message: "It is away.")
                (release.afterMilliseconds, release.withinMilliseconds) = (60_000, hasTime ? 3_600_000 : 59_000)
                _ = try await runner.perform(release)
            }
            let found = try await host.admin.perform(GetRun(run: run))
            #expect(found.state == (hasTime ? .scheduled : .failed))
            let why = "The limit of its time leaves none for another try. It is away."
            #expect(found.outcome?.error?.message == (hasTime ? nil : why))
        }
    }
}
