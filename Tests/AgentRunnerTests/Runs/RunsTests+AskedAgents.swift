import AgentFiles
import Agents
import Contract
import Logging
import RPC
import Synchronization
import Testing
import Wire

@testable import AgentRunner

extension RunsTests {
    /// An agent of a file that asks another.
    private func asking(_ model: any Model, _ other: any RunnableAgent) throws -> FileAgent {
        let yaml = "instructions: Help.\nconversation: none\ntools: [\"agent:other\"]"
        let file = try AgentFile(yaml, name: "asking", file: "asking.yaml")
        guard case .instructed(let task) = file.task else { throw WrongTask() }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        // Nothing it does asks storage but its steps: this client never connects.
        let storage = RPCClient(path: "/nowhere", role: .agentRunner, name: "storage", logger: logger)
        return FileAgent(file, task: task, model: model, others: ["other": other], storage: storage, logger: logger)
    }

    private struct WrongTask: Error {}

    @Test func whatAnAskedAgentHasUsedCountsAlsoWhereItIsNotAskedAgain() async throws {
        func turn(_ events: [ModelEvent], _ tokens: Int) -> ScriptedModel.Turn {
            .init([.usage(Agents.Usage(inputTokens: tokens, outputTokens: 1))] + events)
        }
        let call = ToolCall(id: "1", name: "ask_other", arguments: #"{"input": "How?"}"#)
        let inner = ScriptedModel(turn([.text("So."), .finish(.stop)], 100))
        let unavailable = ScriptedModel.Turn([], error: AgentError(.providerUnavailable, "Away."))
        let outer = ScriptedModel(
            turn([.toolCall(call), .finish(.toolCalls)], 10),
            unavailable,
            turn([.text("Done."), .finish(.stop)], 20)
        )
        let other = OtherAgent(model: inner)
        let stored = StoredRuns()
        try await withRuns(stored: stored, agents: ["asking": try asking(outer, other)]) { runs in
            let first = RunExecution.Origin.claimed(attempt: 1, next: 1)
            let broken = try runs.accept(.new(), agent: "asking", question: question, origin: first)
            await #expect { try await events(of: broken) } throws: { ($0 as? ServiceError)?.code == .aborted }
            stored.state.withLock { $0.lease = 2 }
            let second = RunExecution.Origin.claimed(attempt: 2, next: 2)
            let feed = try runs.accept(.new(), agent: "asking", question: question, origin: second)
            guard case .finished(let outcome) = try await events(of: feed).last?.body else { throw WrongTask() }
            #expect(outcome.answer == "Done.", "\(outcome)")
            #expect(outcome.usage == Contract.Usage(requests: 3, inputTokens: 130, outputTokens: 3), "\(outcome)")
        }
        #expect(inner.requests.count == 1)
    }

    /// Asks its model once.
    private struct OtherAgent: RunnableAgent {
        let model: ScriptedModel
        var modelName: String { model.name }

        func answer(
            _ question: Question,
            steps: Steps?,
            trace: TraceParent,
            emit: @escaping @Sendable (RunEvent.Body) throws -> Void
        ) async throws -> Outcome {
            let answer = try await (steps?.recorded(model) ?? model)
                .answer(ModelRequest(messages: [.user(question.text)]))
            return Outcome(state: .succeeded, answer: answer.text, supported: true, model: modelName)
        }
    }
}
