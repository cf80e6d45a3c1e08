import Contract
import Synchronization
import Wire

/// An agent that another one can take the place of while the process runs, with another model for instance. A run keeps
/// the one it began with.
final class CurrentAgent: RunnableAgent {
    private let agent: Mutex<any RunnableAgent>

    init(_ agent: any RunnableAgent) {
        self.agent = Mutex(agent)
    }

    var modelName: String { agent.withLock { $0.modelName } }
    var providerName: String { agent.withLock { $0.providerName } }

    /// Runs that begin from now on are this one's.
    func use(_ next: any RunnableAgent) {
        agent.withLock { $0 = next }
    }

    func answer(
        _ question: Question,
        steps: Steps?,
        trace: TraceParent,
        emit: @escaping @Sendable (RunEvent.Body) throws -> Void
    ) async throws -> Outcome {
        try await agent.withLock { $0 }.answer(question, steps: steps, trace: trace, emit: emit)
    }
}
