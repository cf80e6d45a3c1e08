import Contract
import OctavoTesting
import RPC
import Testing
import Wire

@testable import Storage

/// Steps that are bought once, and budgets that are not overspent.
@Suite(.serialized) struct StepTests {
    func withHost(_ body: @Sendable @escaping (StorageHost) async throws -> Void) async throws {
        try await StorageHost.run(database: TestDatabase.make(), body)
    }

    func begin(
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

    func end(_ lease: ClaimRuns.Lease, as runner: String, _ answer: String?, input: Int = 0, output: Int = 0)
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

    func open(_ runner: String, _ run: RunID = .new(), text: String = "How?") -> OpenRun {
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

    func lease(_ open: OpenRun) -> ClaimRuns.Lease {
        ClaimRuns.Lease(run: open.run, agent: open.agent, question: open.question, attempt: 1, next: 2)
    }

    func finish(_ open: OpenRun, _ answer: String) throws -> AppendEvents {
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

    /// Another day, or another text in the agent's file: the tools were called all the same.
    @Test func anAnswerThatToolsWereCalledForStandsWhateverIsAsked() async throws {
        try await withHost { host in
            try await host.admin.enqueue()
            try await host.withRunner { runner in
                let lease = try await runner.claim(1, as: "a")[0]
                _ = try await runner.perform(begin(lease, as: "a"))
                _ = try await runner.perform(try end(lease, as: "a", "Call x."))
                _ = try await runner.perform(begin(lease, as: "a", "1/x", .tool, repeats: false))
            }
            try await host.withRunner { runner in
                let lease = try await runner.claim(1, as: "b")[0]
                let same = try await runner.perform(begin(lease, as: "b", digest: "e"))
                #expect(same.state == .answered && same.answer?.description == "\"Call x.\"")
            }
        }
    }

    @Test func anAnswerStandsWhoseCallWaitsForAPerson() async throws {
        try await withHost { host in
            _ = try await host.admin.perform(RequireApproval(agent: "echo", tool: "order", seconds: 3_600))
            try await host.admin.enqueue()
            try await host.withRunner { runner in
                let first = try await runner.claim(1, as: "a")[0]
                _ = try await runner.perform(begin(first, as: "a"))
                _ = try await runner.perform(try end(first, as: "a", "Call order."))
                let call = try await runner.begin(first)
                #expect(call.state == .waiting)
                try await runner.giveBack(first)
                let asked = try #require(await host.approvals().first)
                _ = try await host.admin.perform(DecideApproval(asked.approval, approve: true))
                let second = try await runner.claim(1, as: "a")[0]
                let same = try await runner.perform(begin(second, as: "a", digest: "e"))
                #expect(same.state == .answered && same.answer?.description == "\"Call order.\"")
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
}
