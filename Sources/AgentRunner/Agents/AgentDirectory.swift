import AgentFiles
import Agents
import Contract
import Synchronization

/// The agents of this service by name. Others can take their place while the process runs; a run keeps the one it began
/// with.
final class AgentDirectory: Sendable, ExpressibleByDictionaryLiteral {
    private struct State {
        var agents: [String: any RunnableAgent]
        var problems: [AgentFileProblem] = []
    }

    private let state: Mutex<State>

    init(_ agents: [String: any RunnableAgent]) {
        state = Mutex(State(agents: agents))
    }

    convenience init(dictionaryLiteral elements: (String, any RunnableAgent)...) {
        self.init(Dictionary(elements) { _, last in last })
    }

    /// The agents there are now.
    var all: [String: any RunnableAgent] { state.withLock { $0.agents } }

    subscript(name: String) -> (any RunnableAgent)? { state.withLock { $0.agents[name] } }

    /// Runs that begin from now on are these agents'. `problems` are told to whoever asks which agents there are.
    func use(_ agents: [String: any RunnableAgent], problems: [AgentFileProblem] = []) {
        state.withLock { $0 = State(agents: agents, problems: problems) }
    }

    /// For whoever chooses among them.
    var list: ListAgents.Result {
        let (agents, problems) = state.withLock { ($0.agents, $0.problems) }
        return ListAgents.Result(
            agents: agents.compactMap { $1.listed(as: $0) }.sorted { $0.name < $1.name },
            problems: problems.map { problem in
                ListAgents.Problem(
                    file: problem.file,
                    line: problem.place?.line,
                    column: problem.place?.column,
                    message: problem.message
                )
            }
        )
    }
}

extension RunnableAgent {
    var description: String { "" }

    /// For agents that cost nothing.
    func paying(from budget: Budget) -> any RunnableAgent { self }

    /// For agents that send nothing out.
    func tainted(by sources: [String]) -> any RunnableAgent { self }

    func listed(as name: String) -> ListAgents.Agent? {
        ListAgents.Agent(name: name, description: description, model: modelName, origin: .builtIn)
    }
}
