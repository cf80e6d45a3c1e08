import Contract
import OctavoTesting
import RPC
import Testing
import Wire

@testable import Storage

/// Steps that are bought once, and budgets that are not overspent.
@Suite(.serialized) struct StepTests {
    private func withHost(_ body: @Sendable @escaping (StorageHost) async throws -> Void) async throws {
        try await StorageHost.run(database: TestDatabase.make(), body)
    }

    private func begin(
        _ lease: ClaimRuns.Lease,
        as runner: String,
        _ step: String = "1",
        _ kind: BeginStep.Kind = .model,
        digest: String = "d",
        tokens: Int = 0,
        repeats: Bool = true
    ) -> BeginStep {
        BeginStep(
            run: lease.run,
            runner: runner,
            attempt: lease.attempt,
            step: step,
            kind: kind,
            name: "m",
            digest: digest,
            tokens: tokens,
            repeats: repeats
        )
    }

    private func end(_ lease: ClaimRuns.Lease, as runner: String, _ answer: String?, input: Int = 0, output: Int = 0)
        throws
        -> EndStep
    {
        EndStep(
            run: lease.run,
            runner: runner,
            attempt: lease.attempt,
            step: "1",
            answer: try answer.map { try JSON(encoding: $0) },
            inputTokens: input,
            outputTokens: output
        )
    }

    private func open(_ runner: String, _ run: RunID = .new(), text: String = "How?") -> OpenRun {
        OpenRun(
            run: run,
            agent: "echo",
            model: "m",
            question: Question(text: text, channel: .http),
            runner: runner,
            event: RunEvent(sequence: 1, at: "", body: .status("…")),
            step: .init(step: "1", digest: "d", tokens: 40)
        )
    }

    private func lease(_ open: OpenRun) -> ClaimRuns.Lease {
        ClaimRuns.Lease(run: open.run, agent: open.agent, question: open.question, attempt: 1, next: 2)
    }

    private func finish(_ open: OpenRun, _ answer: String) throws -> AppendEvents {
        let outcome = Outcome(state: .succeeded, answer: "So.", model: "m")
        let step = EndedStep(step: "1", answer: try JSON(encoding: answer), inputTokens: 7, outputTokens: 5)
        let event = RunEvent(sequence: 2, at: "", body: .finished(outcome))
        return AppendEvents(run: open.run, runner: open.runner, attempt: 1, events: [event], ended: [step])
    }

    @Test func theFirstStepBeginsWithTheRunAndTheLastEndsWithIt() async throws {
        try await withHost { host in
            try await host.withRunner { runner in
                let opens = (0..<5).map { _ in open("a") }
                // At once, so that they are written together.
                let opened = try await runner.all(opens)
                #expect(opened.allSatisfy { $0 == OpenRun.Result(attempt: 1, begun: true) })
                let again = try await runner.perform(opens[0])
                #expect(again == OpenRun.Result(attempt: 1, begun: nil))
                _ = try await runner.all(try opens.map { try finish($0, "So.") })
                for open in opens {
                    let run = try await host.admin.perform(GetRun(run: open.run))
                    #expect(run.state == .succeeded && run.steps.count == 1)
                    let step = try #require(run.steps.first)
                    #expect(step.endMilliseconds != nil && step.inputTokens == 7 && step.outputTokens == 5)
                }
            }
        }
    }

    @Test func aRunThatIsOpenElsewhereOrBelongsToAnotherQuestionBeginsNothing() async throws {
        try await withHost { host in
            try await host.withRunner { runner in
                let first = open("a")
                _ = try await runner.perform(first)
                #expect(try await runner.perform(open("b", first.run)) == OpenRun.Result(attempt: nil))
                let other = open("a", first.run, text: "Why?")
                await #expect { try await runner.perform(other) } throws: {
                    ($0 as? ServiceError)?.code == .alreadyExists
                }
            }
        }
    }

    @Test func whereThereIsABudgetTheFirstStepBeginsByItselfAndSettlesWithTheRun() async throws {
        try await withHost { host in
            _ = try await host.admin.perform(SetBudget(name: "all", unit: .tokens, amount: 50))
            try await host.withRunner { runner in
                let first = open("a")
                #expect(try await runner.perform(first) == OpenRun.Result(attempt: 1))
                let held = lease(first)
                #expect(try await runner.perform(begin(held, as: "a", tokens: 40)).state == .begun)
                // Of 40 estimated 12 were needed, so that 38 of 50 are left.
                _ = try await runner.perform(try finish(first, "So."))
                let second = open("a")
                _ = try await runner.perform(second)
                let next = lease(second)
                let tooMuch = begin(next, as: "a", tokens: 39)
                await #expect { try await runner.perform(tooMuch) } throws: {
                    ($0 as? ServiceError)?.code == .resourceExhausted
                }
                #expect(try await runner.perform(begin(next, as: "a", "2", tokens: 38)).state == .begun)
            }
        }
    }

    @Test func stepsEndWithTheEventFinishedAlone() async throws {
        try await withHost { host in
            try await host.withRunner { runner in
                let first = open("a")
                _ = try await runner.perform(first)
                var append = try finish(first, "So.")
                append.events[0].body = .text("So.")
                let early = append
                await #expect { try await runner.perform(early) } throws: {
                    ($0 as? ServiceError)?.code == .invalidArgument
                }
            }
        }
    }

    @Test func whatAnEarlierAttemptHasBoughtIsAnsweredToWhoeverAsksTheSame() async throws {
        try await withHost { host in
            try await host.admin.enqueue()
            try await host.withRunner { runner in
                let lease = try await runner.claim(1, as: "a")[0]
                let first = try await runner.perform(begin(lease, as: "a"))
                // Asked again, since the answer was lost.
                let again = try await runner.perform(begin(lease, as: "a"))
                #expect(first.state == .begun && again.state == .begun)
                _ = try await runner.perform(try end(lease, as: "a", "So."))
                _ = try await runner.perform(try end(lease, as: "a", "So."))
            }
            try await host.withRunner { runner in
                let lease = try await runner.claim(1, as: "b")[0]
                let same = try await runner.perform(begin(lease, as: "b"))
                #expect(same.state == .answered && same.answer?.description == "\"So.\"")
                let other = try await runner.perform(begin(lease, as: "b", digest: "e"))
                #expect(other.state == .begun && other.answer == nil)
            }
        }
    }

    @Test func aToolThatMustNotBeRepeatedIsNotWhenNobodyKnowsWhatItDid() async throws {
        try await withHost { host in
            try await host.admin.enqueue()
            try await host.withRunner { runner in
                let lease = try await runner.claim(1, as: "a")[0]
                for step in ["1/x", "1/y"] {
                    _ = try await runner.perform(begin(lease, as: "a", step, .tool, repeats: step == "1/y"))
                }
            }
            try await host.withRunner { runner in
                let lease = try await runner.claim(1, as: "b")[0]
                let once = try await runner.perform(begin(lease, as: "b", "1/x", .tool, repeats: false))
                let often = try await runner.perform(begin(lease, as: "b", "1/y", .tool, repeats: true))
                #expect(once.state == .interrupted && often.state == .begun)
            }
        }
    }

    @Test func whoLostTheLeaseNeitherBeginsNorEndsAStep() async throws {
        try await withHost { host in
            try await host.admin.enqueue()
            try await host.withRunner { runner in
                let lease = try await runner.claim(1, as: "a")[0]
                _ = try await runner.perform(begin(lease, as: "a"))
                _ = try await host.admin.perform(CancelRun(run: lease.run))
                let late = try end(lease, as: "a", "So.")
                await #expect { try await runner.perform(late) } throws: {
                    ($0 as? ServiceError)?.code == .failedPrecondition
                }
                let next = begin(lease, as: "a", "2")
                await #expect { try await runner.perform(next) } throws: {
                    ($0 as? ServiceError)?.code == .failedPrecondition
                }
            }
        }
    }

    @Test func aRunThatStorageEndsSaysWhatItHasUsed() async throws {
        try await withHost { host in
            let run = try await host.admin.enqueue().run
            try await host.withRunner { runner in
                let lease = try await runner.claim(1, as: "a")[0]
                _ = try await runner.perform(begin(lease, as: "a", tokens: 4_000))
                _ = try await runner.perform(try end(lease, as: "a", "So.", input: 1_000, output: 500))
                // Its answer never comes.
                _ = try await runner.perform(begin(lease, as: "a", "2", tokens: 4_000))
                _ = try await runner.perform(begin(lease, as: "a", "1/x", .tool))
                _ = try await host.admin.perform(CancelRun(run: run))
            }
            let found = try await host.admin.perform(GetRun(run: run))
            #expect(found.outcome?.usage == Usage(requests: 2, inputTokens: 1_000, outputTokens: 500))
            #expect(found.steps.map(\.step) == ["1", "2", "1/x"])
            #expect(found.steps.map { $0.endMilliseconds == nil } == [false, true, true])
        }
    }

    @Test func aHundredWhoRaceForTheLastUnitsDoNotOverspend() async throws {
        let database = try await TestDatabase.make()
        try await StorageHost.run(database: database) { host in
            _ = try await host.admin.perform(SetBudget(name: "ten", unit: .requests, amount: 10, period: .day))
            _ = try await host.admin.perform(SetBudget(name: "much", unit: .tokens, amount: 1_000_000))
            for _ in 0..<100 { try await host.admin.enqueue() }
            try await host.withRunner { runner in
                let leases = try await runner.claim(100, as: "a")
                let outcomes = try await withThrowingTaskGroup(of: ErrorCode?.self) { group in
                    for lease in leases {
                        group.addTask {
                            do {
                                let begun = try await runner.perform(begin(lease, as: "a", tokens: 100))
                                return begun.state == .begun ? nil : .internal
                            } catch let error as ServiceError {
                                return error.code
                            }
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(outcomes.count { $0 == nil } == 10)
                #expect(outcomes.count { $0 == .resourceExhausted } == 90)
            }
            // Those that were refused took nothing from the other budget either.
            let used = try await values(database, "select used::bigint from budget order by name")
            #expect(used == [1_000, 10])
        }
    }

    @Test func whatWasNotNeededGoesBackAndUsageAndCostAreInTheRecord() async throws {
        let database = try await TestDatabase.make()
        try await StorageHost.run(database: database) { host in
            _ = try await host.admin.perform(SetPrice(model: "m", since: "2020-01-01", input: 1, cached: 0, output: 10))
            _ = try await host.admin.perform(SetPrice(model: "m", since: "2025-01-01", input: 2, cached: 0, output: 10))
            _ = try await host.admin.perform(SetBudget(name: "a", unit: .tokens, amount: 5_000))
            var echo = SetBudget(name: "b", unit: .tokens, amount: 0)
            echo.agent = "another"
            _ = try await host.admin.perform(echo)
            try await host.admin.enqueue()
            try await host.withRunner { runner in
                let lease = try await runner.claim(1, as: "a")[0]
                _ = try await runner.perform(begin(lease, as: "a", tokens: 4_000))
                let tooMuch = begin(lease, as: "a", "2", tokens: 2_000)
                await #expect { try await runner.perform(tooMuch) } throws: {
                    ($0 as? ServiceError)?.code == .resourceExhausted
                }
                _ = try await runner.perform(try end(lease, as: "a", "So.", input: 1_000, output: 500))
                let used = try await values(database, "select used::bigint from budget order by name")
                #expect(used == [1_500, 0])
                let now = try await runner.perform(tooMuch)
                #expect(now.state == .begun)
                _ = try await runner.perform(
                    EndStep(run: lease.run, runner: "a", attempt: 1, step: "2", answer: nil)
                )
            }
            for key in ListCosts.Key.allCases {
                let costs = try await host.admin.perform(ListCosts(by: key)).costs
                #expect(costs.count == 1 && costs.first?.requests == 2, "\(key)")
                #expect(costs.first?.inputTokens == 1_000 && costs.first?.outputTokens == 500, "\(key)")
                #expect(costs.first.map { abs($0.cost - 0.007) < 1e-9 } == true, "\(key)")
            }
        }
    }

    @Test func aBudgetOfMoneyRefusesWhatNobodyKnowsThePriceOf() async throws {
        let database = try await TestDatabase.make()
        try await StorageHost.run(database: database) { host in
            _ = try await host.admin.perform(SetBudget(name: "a dollar", unit: .money, amount: 1))
            try await host.admin.enqueue()
            try await host.withRunner { runner in
                let lease = try await runner.claim(1, as: "a")[0]
                let unknown = begin(lease, as: "a", tokens: 4_000)
                await #expect { try await runner.perform(unknown) } throws: {
                    let error = $0 as? ServiceError
                    return error?.code == .resourceExhausted && error?.message.contains("octavo runs price") == true
                }
                // The runner knows, and then somebody sets another price, which counts.
                var told = unknown
                told.microdollars = 600_000
                let begun = try await runner.perform(told)
                #expect(begun.state == .begun)
                told.step = "2"
                let second = told
                await #expect { try await runner.perform(second) } throws: {
                    ($0 as? ServiceError)?.code == .resourceExhausted
                }
                _ = try await host.admin.perform(
                    SetPrice(model: "m", since: "2020-01-01", input: 100, cached: 0, output: 0)
                )
                let cheap = try await runner.perform(second)
                #expect(cheap.state == .begun)
            }
        }
    }

    @Test func whatTheRunnerSaysCountsWhereNoPriceIsSetAndForTheModelThatAnswered() async throws {
        try await withHost { host in
            try await host.admin.enqueue()
            try await host.withRunner { runner in
                let lease = try await runner.claim(1, as: "a")[0]
                for (step, dollars, model) in [("1", 250_000, "m"), ("2", nil, "m"), ("3", 500_000, "other")] {
                    _ = try await runner.perform(begin(lease, as: "a", step))
                    _ = try await runner.perform(
                        EndStep(
                            run: lease.run,
                            runner: "a",
                            attempt: 1,
                            step: step,
                            answer: nil,
                            microdollars: dollars,
                            model: model
                        )
                    )
                }
            }
            let costs = try await host.admin.perform(ListCosts(by: .model)).costs
            #expect(costs.map(\.key) == ["other", "m"] && costs.map(\.cost) == [0.5, 0.25])
            #expect(costs.map(\.unpriced) == [0, 1] && costs.map(\.requests) == [1, 2])
        }
    }
}

extension RPCClient {
    /// Calls made at once, with their results in order.
    fileprivate func all<O: Operation>(_ calls: [O]) async throws -> [O.Result] {
        try await withThrowingTaskGroup(of: Numbered<O.Result>.self) { group in
            for (number, call) in calls.enumerated() {
                group.addTask { Numbered(number: number, value: try await self.perform(call)) }
            }
            var results: [Numbered<O.Result>] = []
            for try await result in group { results.append(result) }
            return results.sorted { $0.number < $1.number }.map(\.value)
        }
    }
}

private struct Numbered<Value: Sendable>: Sendable {
    let number: Int
    let value: Value
}
