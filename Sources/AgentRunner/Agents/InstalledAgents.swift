import AgentFiles
import Agents
import Configuration
import Daemon
import Logging
import RPC

/// All agents of an installation: those built in, and those of its folder.
struct InstalledAgents: Sendable {
    /// Where the files of agents are unless `OCTAVO_AGENTS` says otherwise.
    static let usualFolder = "/etc/octavo/agents"

    let agents: [String: any RunnableAgent]
    /// What the agents of the folder are made of.
    let files: [AgentFile]
    let problems: [AgentFileProblem]
    /// Whom they ask.
    let providers: Providers
    private let folder: String
    private static let mostProblemsTold = 5

    /// Throws `ConfigurationError` for settings that cannot be used; files that cannot be used are problems.
    ///
    /// - Parameter earlier: Whom those asked that were in use until now.
    init(_ config: ConfigReader, after earlier: Providers? = nil, storage: RPCClient, logger: Logger) throws {
        let provider = try ModelProvider(config, after: earlier)
        providers = provider.providers
        let path = config.string(forKey: "octavo.agents") ?? Self.usualFolder
        var builder = AgentBuilder(provider: provider, storage: storage, logger: logger)
        let folder = AgentFolder(path: path)
        problems = folder.problems + builder.add(folder.agents, of: path)
        agents = builder.agents
        files = folder.agents.filter { builder.agents[$0.name] != nil }
        self.folder = path
    }

    /// For a reload, which takes everything or nothing.
    func check() throws(ConfigurationError) {
        guard !problems.isEmpty else { return }
        // All that a person mends in one go; agents that were left out for others' sake follow those.
        let told = problems.prefix(Self.mostProblemsTold).map(\.description).joined(separator: "; ")
        let more = problems.count - Self.mostProblemsTold
        throw ConfigurationError(more > 0 ? "\(told); and \(more) more: octavo agents check \(folder)/*.yaml" : told)
    }
}
