import AgentFiles
import Configuration
import Daemon
import Logging
import RPC

/// All agents of an installation: those built in, and those of its folder.
struct InstalledAgents: Sendable {
    /// Where the files of agents are unless `OCTAVO_AGENTS` says otherwise.
    static let usualFolder = "/etc/octavo/agents"

    let agents: [String: any RunnableAgent]
    let problems: [AgentFileProblem]

    /// Throws `ConfigurationError` for settings that cannot be used; files that cannot be used are problems.
    init(_ config: ConfigReader, storage: RPCClient, logger: Logger) throws {
        let provider = try ModelProvider(config)
        let path = config.string(forKey: "octavo.agents") ?? Self.usualFolder
        var builder = AgentBuilder(provider: provider, storage: storage, logger: logger)
        let folder = AgentFolder(path: path, builtIn: Set(builder.agents.keys))
        problems = folder.problems + builder.add(folder.agents, of: path)
        agents = builder.agents
    }

    /// For a reload, which takes everything or nothing.
    func check() throws(ConfigurationError) {
        guard let first = problems.first else { return }
        let more = problems.count > 1 ? ", and \(problems.count - 1) more: octavo agents list" : ""
        throw ConfigurationError("\(first)\(more)")
    }
}
