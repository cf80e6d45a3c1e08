import AgentFiles
import Agents
import Daemon
import Logging
import RPC

/// Makes agents that can be asked of those written down in files.
struct AgentBuilder {
    /// Those built in, and those made so far.
    private(set) var agents: [String: any RunnableAgent]
    private let provider: ModelProvider
    private let storage: RPCClient
    private let logger: Logger

    init(provider: ModelProvider, storage: RPCClient, logger: Logger) {
        self.provider = provider
        self.storage = storage
        self.logger = logger
        agents = [
            EchoAgent.name: EchoAgent(),
            "documentation": DocumentationAgent(model: provider.model, storage: storage, logger: logger),
            SummariserAgent.name: SummariserAgent(
                task: AgentFile.Summary(sentences: 3),
                model: provider.model,
                logger: logger
            ),
        ]
    }

    /// Makes the agents of files, those that are asked before those that ask them. Gives what is wrong with the others.
    mutating func add(_ files: [AgentFile], of folder: String) -> [AgentFileProblem] {
        var problems: [AgentFileProblem] = []
        var waiting = files
        // No agent asks itself by way of others, so in each round there is one that asks none of those that wait.
        while let index = waiting.firstIndex(where: { file in !waiting.contains { file.others.contains($0.name) } }) {
            let file = waiting.remove(at: index)
            do throws(ConfigurationError) {
                agents[file.name] = try agent(file)
            } catch {
                problems.append(AgentFileProblem(file: "\(folder)/\(file.name).yaml", message: "\(error)"))
            }
        }
        return problems
    }

    private func agent(_ file: AgentFile) throws(ConfigurationError) -> any RunnableAgent {
        let model = try provider.model(named: file.model, fallbacks: file.fallbacks)
        switch file.task {
        case .instructed(let task):
            guard let model else {
                throw ConfigurationError(
                    "it needs a model to follow its instructions: set OCTAVO_MODEL and its provider, or name one with model"
                )
            }
            let others = try agents(of: file)
            return FileAgent(
                file,
                task: task,
                model: model,
                others: Dictionary(uniqueKeysWithValues: others.map { ($0.name, $0.agent) }),
                storage: storage,
                logger: logger
            )
        case .classify(let task): return ClassifierAgent(file: file, task: task, model: model, logger: logger)
        case .summarise(let task): return SummariserAgent(file: file, task: task, model: model, logger: logger)
        case .together(let task):
            return TogetherAgent(file: file, parts: try agents(of: file), failsFast: task.failsFast)
        }
    }

    /// The agents that an agent asks, each once.
    private func agents(
        of file: AgentFile
    ) throws(ConfigurationError) -> [(name: String, agent: any RunnableAgent)] {
        var found: [(name: String, agent: any RunnableAgent)] = []
        for name in file.others {
            guard let agent = agents[name] else { throw ConfigurationError("its agent \"\(name)\" is not usable") }
            found.append((name, agent))
        }
        return found
    }
}
