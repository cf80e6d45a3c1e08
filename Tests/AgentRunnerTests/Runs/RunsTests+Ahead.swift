import Agents
import Contract
import Synchronization
import Testing
import Wire

@testable import AgentRunner

/// When the model of a run is asked, and what storage knows of the run by then.
extension RunsTests {
    /// An agent that asks its model once, and says what was stored at that moment.
    final class NotingAgent: RunnableAgent {
        let stored: StoredRuns
        let beginsWithModel: Bool
        /// How many runs were open when the model was asked.
        let seen = Mutex<[Int]>([])
        /// What the model does then.
        let answer: @Sendable () async throws -> Void
        var modelName: String { "noting" }

        init(
            _ stored: StoredRuns,
            beginsWithModel: Bool = true,
            answer: @escaping @Sendable () async throws -> Void = {}
        ) {
            self.stored = stored
            self.beginsWithModel = beginsWithModel
            self.answer = answer
        }

        func answer(
            _ question: Question,
            steps: Steps?,
            trace: TraceParent,
            emit: @escaping @Sendable (RunEvent.Body) throws -> Void
        ) async throws -> Outcome {
            let model = FunctionModel { [self] _, emit in
                let opened = stored.state.withLock { $0.opened.count }
                seen.withLock { $0.append(opened) }
                stored.state.withLock { $0.isHeld = false }
                try await answer()
                try await emit(.text("So."))
                try await emit(.finish(.stop))
            }
            try await steps?.recorded(model).respond(to: ModelRequest(messages: [.user(question.text)])) { _ in }
            return Outcome(state: .succeeded, answer: "So.", supported: true, model: modelName)
        }
    }

    /// Asks something that nobody has asked before.
    @discardableResult
    private func ask(_ runs: Runs, to end: RunState = .succeeded) async throws -> Outcome {
        let origin = RunExecution.Origin.live(RunPolicy(), isNew: true)
        let feed = try runs.accept(.new(), agent: "documentation", question: question, origin: origin)
        guard case .finished(let outcome) = try await events(of: feed).last?.body else { throw Unexpected() }
        #expect(outcome.state == end)
        return outcome
    }

    @Test func theModelOfANewRunIsAskedWhileTheRunIsBeingOpened() async throws {
        let stored = StoredRuns()
        let agent = NotingAgent(stored)
        try await withRuns(stored: stored, agents: ["documentation": agent]) { runs in
            try await ask(runs)
            // Opened only when the model is asked: were it the other way round, neither would ever be.
            stored.state.withLock { $0.isHeld = true }
            try await ask(runs)
        }
        #expect(agent.seen.withLock { $0 } == [1, 1])
        let (begun, asked, ended) = stored.state.withLock { ($0.begun.count, $0.asked.count, $0.ended.count) }
        #expect(begun == 2 && asked == 0 && ended == 2)
    }

    @Test(arguments: [true, false])
    func whatMayHaveBeenAskedForBeforeOrBeginsOtherwiseWaitsUntilItIsOpen(beginsWithModel: Bool) async throws {
        let stored = StoredRuns(delay: .milliseconds(100))
        let agent = NotingAgent(stored)
        let other = NotingAgent(stored, beginsWithModel: beginsWithModel)
        try await withRuns(stored: stored, agents: ["documentation": agent, "other": other]) { runs in
            try await ask(runs)
            let origin = RunExecution.Origin.live(RunPolicy(), isNew: !beginsWithModel)
            _ = try await events(of: try runs.accept(.new(), agent: "other", question: question, origin: origin))
        }
        #expect(agent.seen.withLock { $0 } == [1] && other.seen.withLock { $0 } == [2])
    }

    @Test func aBudgetThatIsSetMeanwhileIsAskedAfterwardsAndFromThenOnBefore() async throws {
        let stored = StoredRuns()
        let agent = NotingAgent(stored)
        try await withRuns(stored: stored, agents: ["documentation": agent]) { runs in
            try await ask(runs)
            stored.state.withLock { ($0.hasBudgets, $0.isHeld) = (true, true) }
            try await ask(runs)
            #expect(stored.state.withLock { $0.asked.map(\.step) } == ["1"])
            try await ask(runs)
        }
        #expect(agent.seen.withLock { $0 } == [1, 1, 3])
        #expect(stored.state.withLock { $0.asked.count == 2 && $0.ended.count == 3 })
    }

    @Test func aBudgetThatIsUsedUpMeanwhileEndsTheRun() async throws {
        let stored = StoredRuns()
        let agent = NotingAgent(stored)
        try await withRuns(stored: stored, agents: ["documentation": agent]) { runs in
            try await ask(runs)
            stored.state.withLock {
                ($0.hasBudgets, $0.isHeld) = (true, true)
                $0.refusal = ServiceError(.resourceExhausted, "The budget is used up.", retry: .no)
            }
            let outcome = try await ask(runs, to: .failed)
            #expect(outcome.error?.message.contains("used up") == true)
        }
        #expect(agent.seen.withLock { $0 } == [1, 1])
        #expect(stored.state.withLock { $0.asked.isEmpty && $0.ended.count == 1 })
    }

    @Test func aModelThatFailsAheadOfTheOpeningIsBegunAndEndedAllTheSame() async throws {
        let stored = StoredRuns()
        let fails = Atomic(false)
        let agent = NotingAgent(stored) {
            if fails.load(ordering: .relaxed) { throw AgentError(.misconfigured, "It is no model.") }
        }
        try await withRuns(stored: stored, agents: ["documentation": agent]) { runs in
            try await ask(runs)
            fails.store(true, ordering: .relaxed)
            stored.state.withLock { ($0.hasBudgets, $0.isHeld) = (true, true) }
            try await ask(runs, to: .failed)
        }
        #expect(agent.seen.withLock { $0 } == [1, 1])
        #expect(stored.state.withLock { $0.asked.map(\.step) == ["1"] && $0.told.map(\.step) == ["1"] })
    }

    @Test func aCallThatWentAheadIsBrokenOffWhenTheRunIsElsewhere() async throws {
        let stored = StoredRuns()
        let isSlow = Atomic(false)
        let wasBrokenOff = Atomic(false)
        let agent = NotingAgent(stored) {
            guard isSlow.load(ordering: .relaxed) else { return }
            do {
                try await Task.sleep(for: .seconds(86_400))
            } catch {
                wasBrokenOff.store(true, ordering: .relaxed)
                throw error
            }
        }
        try await withRuns(stored: stored, agents: ["documentation": agent]) { runs in
            try await ask(runs)
            isSlow.store(true, ordering: .relaxed)
            stored.state.withLock { ($0.lease, $0.isHeld) = (nil, true) }
            await #expect { try await ask(runs) } throws: { ($0 as? ServiceError)?.code == .aborted }
        }
        #expect(wasBrokenOff.load(ordering: .relaxed) && agent.seen.withLock { $0 } == [1, 1])
    }
}
