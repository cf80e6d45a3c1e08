import AgentFiles
import Agents
import Contract
import Synchronization

/// The agents of this service by name. Others can take their place while the process runs; a run keeps the one it began
/// with.
final class AgentDirectory: Sendable, ExpressibleByDictionaryLiteral {
    private struct State {
        var agents: [String: any RunnableAgent]
        var files: [AgentFile] = []
        var change = ReloadService.Result.Agents()
        var problems: [AgentFileProblem] = []
        var providers: Providers?
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

    /// Whom they ask; nil where they were given one by one.
    var providers: Providers? { state.withLock { $0.providers } }

    subscript(name: String) -> (any RunnableAgent)? { state.withLock { $0.agents[name] } }

    /// Runs that begin from now on are these agents'. `problems` are told to whoever asks which agents there are.
    func use(_ installed: InstalledAgents, problems: [AgentFileProblem] = []) {
        state.withLock { state in
            let change = Self.change(from: state.files, to: installed.files)
            state = State(
                agents: installed.agents,
                files: installed.files,
                change: change,
                problems: problems,
                providers: installed.providers
            )
        }
    }

    /// What was different about the files that were taken last.
    var change: ReloadService.Result.Agents { state.withLock { $0.change } }

    private static func change(from before: [AgentFile], to now: [AgentFile]) -> ReloadService.Result.Agents {
        func names(_ files: [AgentFile]) -> Set<String> { Set(files.map(\.name)) }
        return ReloadService.Result.Agents(
            added: names(now).subtracting(names(before)).sorted(),
            changed: names(now.filter { !before.contains($0) }).intersection(names(before)).sorted(),
            removed: names(before).subtracting(names(now)).sorted()
        )
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
