import Agents
import Contract
import Synchronization
import Testing
import Wire

@testable import AgentRunner

extension RunsTests {
    /// A model whose answers cost ten times as much as what it is asked.
    private struct PricedModel: Model {
        var breaksOff = false
        let name = "priced"
        let capabilities = ModelCapabilities()
        let price: Price? = Price(input: 1_000_000, output: 10_000_000, asOf: "2026-11-05")

        func respond(
            to request: ModelRequest,
            emit: @escaping @Sendable (ModelEvent) async throws -> Void
        ) async throws {
            try await emit(.text("So."))
            if breaksOff { throw AgentError(.misconfigured, "It broke off.") }
            try await emit(.finish(.stop))
        }
    }

    private struct PricedAgent: RunnableAgent {
        var breaksOff = false
        var modelName: String { "priced" }
        var beginsWithModel: Bool { true }

        func answer(
            _ question: Question,
            steps: Steps?,
            trace: TraceParent,
            emit: @escaping @Sendable (RunEvent.Body) throws -> Void
        ) async throws -> Outcome {
            let text = String(repeating: "word", count: 500)
            var request = ModelRequest(messages: [.user(text)])
            request.options.maxTokens = 3_000
            try await steps?.recorded(PricedModel(breaksOff: breaksOff)).respond(to: request) { _ in }
            return Outcome(state: .succeeded, answer: "So.", supported: true, model: modelName)
        }
    }

    @Test func whatAnAnswerMayCostIsEstimatedAtThePriceOfAnswers() async throws {
        let stored = StoredRuns()
        stored.state.withLock { $0.hasBudgets = true }
        try await withRuns(stored: stored, agents: ["documentation": PricedAgent()]) { runs in
            let feed = try runs.accept(.new(), agent: "documentation", question: question, origin: .live(RunPolicy()))
            _ = try await events(of: feed)
        }
        let asked = try #require(stored.state.withLock { $0.asked.first })
        let input = asked.tokens - 3_000
        #expect(asked.outputTokens == 3_000 && (500..<600).contains(input))
        #expect(asked.microdollars == input + 30_000)
    }

    @Test func whatWasSaidBeforeAnAnswerBrokeOffIsPaidFor() async throws {
        let stored = StoredRuns()
        try await withRuns(stored: stored, agents: ["documentation": PricedAgent(breaksOff: true)]) { runs in
            let feed = try runs.accept(.new(), agent: "documentation", question: question, origin: .live(RunPolicy()))
            guard case .finished(let outcome) = try await events(of: feed).last?.body else { throw Unexpected() }
            #expect(outcome.state == .failed && outcome.usage.inputTokens == 500)
        }
        let told = try #require(stored.state.withLock { $0.told.first })
        #expect(told.inputTokens == 500 && told.outputTokens == 1 && told.microdollars == 510)
    }
}
