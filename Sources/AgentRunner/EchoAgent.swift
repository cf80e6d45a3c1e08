import Contract
import Wire

/// Answers with the question: for trying out everything around an agent, and for measuring it, without a model.
struct EchoAgent: RunnableAgent {
    /// Under which it is asked for.
    static let name = ListAgents.echo

    var modelName: String { "echo" }

    func listed(as name: String) -> ListAgents.Agent? { nil }

    func answer(
        _ question: Question,
        steps: Steps?,
        trace: TraceParent,
        emit: @escaping @Sendable (RunEvent.Body) throws -> Void
    ) async throws -> Outcome {
        Outcome(state: .succeeded, answer: question.text, supported: false, model: modelName)
    }
}
