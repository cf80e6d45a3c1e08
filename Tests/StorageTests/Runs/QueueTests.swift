import Contract
import OctavoTesting
import Postgres
import RPC
import Testing
import Wire

@testable import Storage

/// The queue as its callers see it, on a real Postgres.
@Suite(.serialized) struct QueueTests {
    func withHost(_ body: @Sendable @escaping (StorageHost) async throws -> Void) async throws {
        try await StorageHost.run(database: TestDatabase.make(), body)
    }

    @Test func aRunThatIsAcceptedIsGivenToARunnerThatWaitsAndEndsOnce() async throws {
        try await withHost { host in
            try await host.withRunner { runner in
                let stream = runner.claims(as: "a")
                let accepted = try await host.admin.enqueue()
                #expect(accepted.isNew)
                for try await case .lease(let lease) in stream.items {
                    #expect(lease.run == accepted.run && lease.attempt == 1 && lease.next == 1)
                    try await runner.finish(lease, as: "a")
                    break
                }
                let run = try await host.admin.perform(GetRun(run: accepted.run))
                #expect(run.state == .succeeded && run.events == 1 && run.outcome?.answer == "So.")
            }
        }
    }

    @Test func theSameRunIsAcceptedOnceAndAnotherQuestionUnderItsIdIsRefused() async throws {
        try await withHost { host in
            let run = RunID.new()
            let first = try await host.admin.enqueue { $0.run = run }
            let second = try await host.admin.enqueue { $0.run = run }
            #expect(first.isNew && !second.isNew && second.run == run)
            await #expect { try await host.admin.enqueue("echo", "Why?") { $0.run = run } } throws: {
                ($0 as? ServiceError)?.code == .alreadyExists
            }
        }
    }

    @Test func whatIsUrgentGoesFirstAndWhatHasWaitedLongEnoughGoesBeforeIt() async throws {
        try await withHost { host in
            let low = try await host.admin.enqueue { $0.priority = 0 }.run
            let high = try await host.admin.enqueue { $0.priority = 3 }.run
            let usual = try await host.admin.enqueue().run
            let leases = try await host.withRunner { try await $0.claim(3, as: "a") }
            #expect(leases.map(\.run) == [high, usual, low])
        }
        let database = try await TestDatabase.make()
        try await StorageHost.run(database: database) { host in
            let low = try await host.admin.enqueue { $0.priority = 0 }.run
            try await sql(database, "update run_work set ready_at = ready_at - interval '61 seconds'")
            let usual = try await host.admin.enqueue().run
            let leases = try await host.withRunner { try await $0.claim(2, as: "a") }
            #expect(leases.map(\.run) == [low, usual])
        }
    }

    @Test func aDelayedRunIsGivenOutWhenItsTimeHasComeAndNotBefore() async throws {
        try await withHost { host in
            let late = try await host.admin.enqueue { $0.delayMilliseconds = 3_600_000 }.run
            let delayed = try await host.admin.enqueue { $0.delayMilliseconds = 300 }.run
            let soon = try await host.admin.enqueue().run
            let leases = try await host.withRunner { try await $0.claim(2, as: "a") }
            #expect(Set(leases.map(\.run)) == [soon, delayed])
            let state = try await host.admin.state(of: late)
            #expect(state == .scheduled)
        }
    }

    @Test func oneRunAtATimeStandsForAUniqueKeyWhoeverRacesForIt() async throws {
        try await withHost { host in
            let results = try await withThrowingTaskGroup(of: EnqueueRun.Result.self) { group in
                for _ in 0..<30 {
                    group.addTask { try await host.admin.enqueue { $0.unique = .init(key: "nightly") } }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(results.count { $0.isNew } == 1 && Set(results.map(\.run)).count == 1)
            let again = try await host.admin.enqueue("echo", "Another?") { $0.unique = .init(key: "nightly") }
            #expect(!again.isNew)
            try await host.withRunner { runner in
                let lease = try await runner.claim(1, as: "a")[0]
                try await runner.finish(lease, as: "a")
            }
            let after = try await host.admin.enqueue { $0.unique = .init(key: "nightly") }
            #expect(after.isNew)
        }
    }

    @Test func theSameWordsAreUniqueForAPeriodAlsoWhenTheRunHasEnded() async throws {
        try await withHost { host in
            let unique = EnqueueRun.Unique(seconds: 3_600)
            let first = try await host.admin.enqueue { $0.unique = unique }
            _ = try await host.admin.perform(CancelRun(run: first.run))
            let again = try await host.admin.enqueue { $0.unique = unique }
            let other = try await host.admin.enqueue("echo", "Why?") { $0.unique = unique }
            #expect(!again.isNew && again.run == first.run && other.isNew)
        }
    }

    @Test func theRunsOfALaneAreCarriedOutInTheirOrder() async throws {
        try await withHost { host in
            var runs: [RunID] = []
            for _ in 0..<4 { runs.append(try await host.admin.enqueue { $0.lane = "c" }.run) }
            // One in the middle ends before its turn, and one runs into a failure that passes.
            _ = try await host.admin.perform(CancelRun(run: runs[1]))
            let done = try await host.withRunner { runner in
                var done: [RunID] = []
                for try await case .lease(let lease) in runner.claims(as: "a").items {
                    let running = try await host.admin.perform(ListRuns(state: .running)).runs.map(\.id)
                    #expect(running == [lease.run])
                    if lease.run == runs[2], lease.attempt == 1 {
                        let failure = Outcome.Failure(code: "unavailable", message: "Away.")
                        _ = try await runner.perform(
                            ReleaseRun(run: lease.run, runner: "a", attempt: 1, reason: .failed, error: failure)
                        )
                        continue
                    }
                    try await runner.finish(lease, as: "a")
                    done.append(lease.run)
                    if done.count == 3 { break }
                }
                return done
            }
            #expect(done == [runs[0], runs[2], runs[3]])
        }
    }

    @Test func theOrderOfALaneIsThatOfItsRunsAndNotOfTheirPriorities() async throws {
        try await withHost { host in
            var runs: [RunID] = []
            for priority in [1, 0, 3, 1] {
                let accepted = try await host.admin.enqueue { ($0.lane, $0.priority) = ("c", priority) }
                runs.append(accepted.run)
            }
            try await host.withRunner { runner in
                for run in runs {
                    let lease = try await runner.claim(1, as: "a")[0]
                    #expect(lease.run == run)
                    try await runner.finish(lease, as: "a")
                }
            }
        }
    }

    @Test func aKeyStandsNoLongerThanItsRunIsKept() async throws {
        let database = try await TestDatabase.make()
        try await StorageHost.run(database: database) { host in
            let unique = EnqueueRun.Unique(key: "k", seconds: 3_600, untilEnded: true)
            let first = try await host.admin.enqueue { $0.unique = unique }
            _ = try await host.admin.perform(CancelRun(run: first.run))
            // As it is pruned.
            try await sql(database, "delete from question")
            let second = try await host.admin.enqueue { $0.unique = unique }
            #expect(second.isNew)
        }
    }

    @Test func aRunThatFailedMayBeAskedOnceMoreAsANewOne() async throws {
        try await withHost { host in
            let run = try await host.admin.enqueue { $0.tries = 1 }.run
            try await host.withRunner { runner in
                let lease = try await runner.claim(1, as: "a")[0]
                let failure = Outcome.Failure(code: "unavailable", message: "It is away.")
                _ = try await runner.perform(
                    ReleaseRun(run: run, runner: "a", attempt: lease.attempt, reason: .failed, error: failure)
                )
            }
            let dead = try await host.admin.perform(ListRuns(state: .failed)).runs.map(\.id)
            #expect(dead == [run])
            let outcome = try await host.admin.perform(GetRun(run: run)).outcome
            #expect(outcome?.error?.message == "It is away.")
            let retry = RetryRun(run: run)
            let new = try await host.admin.perform(retry)
            let same = try await host.admin.perform(retry)
            #expect(new.isNew && new.run == retry.new && !same.isNew && same.run == retry.new)
            // Another one would be the same question twice.
            await #expect { try await host.admin.perform(RetryRun(run: run)) } throws: {
                ($0 as? ServiceError)?.message.contains("\(new.run)") == true
            }
            let found = try await host.admin.perform(GetRun(run: new.run))
            #expect(found.state == .queued && found.retryOf == run && found.question.text == "How?")
            await #expect { try await host.admin.perform(RetryRun(run: new.run)) } throws: {
                ($0 as? ServiceError)?.code == .failedPrecondition
            }
        }
    }

    @Test func aBatchAcceptsARunWithWhatElseItDoesOrNothing() async throws {
        try await withHost { host in
            let enqueue = EnqueueRun(run: .new(), agent: "echo", question: Question(text: "How?", channel: .http))
            try await host.withRunner { runner in
                let stream = runner.claims(as: "a")
                _ = try await host.admin.batch(CreateReader(handle: "ada", name: "Ada"), enqueue)
                for try await case .lease(let lease) in stream.items {
                    #expect(lease.run == enqueue.run)
                    break
                }
            }
            let other = EnqueueRun(run: .new(), agent: "echo", question: Question(text: "How?", channel: .http))
            await #expect(throws: ServiceError.self) {
                try await host.admin.batch(other, CreateReader(handle: "ada", name: "Ada"))
            }
            await #expect { try await host.admin.perform(GetRun(run: other.run)) } throws: {
                ($0 as? ServiceError)?.code == .notFound
            }
        }
    }

    @Test(arguments: 0..<9)
    func whatMakesNoSenseIsRefused(which: Int) async throws {
        try await withHost { host in
            let wrong: [(inout EnqueueRun) -> Void] = [
                { $0.priority = 4 }, { $0.priority = -1 }, { $0.tries = 0 }, { $0.delayMilliseconds = -1 },
                { $0.deadlineMilliseconds = 0 }, { $0.laneWidth = 2 }, { $0.lane = "" }, { $0.question.text = " " },
                { $0.unique = .init(key: String(repeating: "k", count: 201)) },
            ]
            await #expect { try await host.admin.enqueue("echo", "How?", wrong[which]) } throws: {
                ($0 as? ServiceError)?.code == .invalidArgument
            }
        }
    }

    func eventuallyQueued(_ count: Int, _ host: StorageHost) async throws {
        for _ in 0..<6_000 {
            if try await host.admin.perform(ListRuns(state: .queued)).runs.count == count { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("never \(count) queued")
    }
}
