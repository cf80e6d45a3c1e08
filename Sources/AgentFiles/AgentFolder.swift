import FoundationEssentials

/// The agents of a folder: each file `NAME.yaml` in it is one.
public struct AgentFolder: Sendable {
    /// Agents of one installation. Each is checked at every reload, and its servers are started.
    static let mostAgents = 200

    /// The agents, by name.
    public private(set) var agents: [AgentFile] = []
    /// What is wrong with the files that are none.
    public private(set) var problems: [AgentFileProblem] = []

    /// Reads a folder. One that does not exist holds no agents.
    ///
    /// - Parameter builtIn: Names of agents that are there already.
    public init(path: String, builtIn: Set<String> = []) {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        } catch {
            if FileManager.default.fileExists(atPath: path) {
                problems.append(AgentFileProblem(file: path, message: "the folder cannot be read"))
            }
            return
        }
        for file in names where !file.hasPrefix(".") {
            guard file.hasSuffix(".yaml") || file.hasSuffix(".yml") else { continue }
            read(path + "/" + file, name: String(file.prefix { $0 != "." }), builtIn: builtIn)
        }
        checkNames(builtIn)
    }

    /// The agent of one file.
    public static func agent(at path: String) throws(AgentFileProblems) -> AgentFile {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        let name = String(file.prefix { $0 != "." })
        guard let handle = FileManager.default.contents(atPath: path) else {
            throw AgentFileProblems(all: [AgentFileProblem(file: path, message: "the file cannot be read")])
        }
        guard let text = String(validating: handle.prefix(YAMLDocument.mostBytes + 1), as: UTF8.self) else {
            throw AgentFileProblems(all: [AgentFileProblem(file: path, message: "the file is not UTF-8")])
        }
        return try AgentFile(text, name: name, file: path)
    }

    private mutating func read(_ path: String, name: String, builtIn: Set<String>) {
        guard agents.count < Self.mostAgents else {
            problems.append(AgentFileProblem(file: path, message: "there are more than \(Self.mostAgents) agents"))
            return
        }
        guard !builtIn.contains(name), !agents.contains(where: { $0.name == name }) else {
            problems.append(AgentFileProblem(file: path, message: "there is an agent \"\(name)\" already"))
            return
        }
        do {
            agents.append(try Self.agent(at: path))
        } catch {
            problems += error.all
        }
    }

    /// Agents that name others which are not there are not used, nor those that name these in turn; nor any that, by way
    /// of others, would ask itself.
    private mutating func checkNames(_ builtIn: Set<String>) {
        while let index = agents.firstIndex(where: { problem(of: $0, builtIn) != nil }) {
            let agent = agents[index]
            if let problem = problem(of: agent, builtIn) { problems.append(problem) }
            agents.remove(at: index)
        }
    }

    private func problem(of agent: AgentFile, _ builtIn: Set<String>) -> AgentFileProblem? {
        let known = builtIn.union(agents.map(\.name))
        if let unknown = agent.others.first(where: { !known.contains($0) }) {
            return AgentFileProblem(file: "\(agent.name).yaml", message: "there is no agent \"\(unknown)\"")
        }
        if reaches(agent.name, from: agent) {
            return AgentFileProblem(file: "\(agent.name).yaml", message: "it would ask itself, by way of others")
        }
        return nil
    }

    private func reaches(_ name: String, from agent: AgentFile) -> Bool {
        var seen: Set<String> = []
        var waiting = agent.others
        while let next = waiting.popLast() {
            if next == name { return true }
            guard seen.insert(next).inserted else { continue }
            waiting += agents.first { $0.name == next }?.others ?? []
        }
        return false
    }
}

extension AgentFile {
    /// The agents it asks.
    public var others: [String] {
        switch task {
        case .instructed(let instructed):
            instructed.tools.compactMap { if case .agent(let name) = $0 { name } else { nil } }
        case .together(let several): several.agents
        case .classify, .summarise: []
        }
    }
}
