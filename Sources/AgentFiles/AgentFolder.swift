import FoundationEssentials

/// The agents of a folder: each file `NAME.yaml` in it is one.
public struct AgentFolder: Sendable {
    /// Agents of one installation. Each is checked at every reload, and its servers are started.
    static let mostAgents = 200

    /// The agents that are part of every runner.
    public static let builtIn: Set<String> = ["documentation", "echo", "summariser"]

    /// Names that no agent may have. Commands at set times are runs of the agent `command`, which storage gives to no agent runner: one
    /// that offered it would be refused with all that it offers.
    private static let reserved: Set<String> = ["command"]

    /// The agents, by name.
    public private(set) var agents: [AgentFile] = []
    /// What is wrong with the files that are none.
    public private(set) var problems: [AgentFileProblem] = []
    /// The files of the agents, by their names.
    private var paths: [String: String] = [:]

    /// Reads a folder. One that does not exist holds no agents.
    ///
    /// - Parameter builtIn: Names of agents that are there already.
    public init(path: String, builtIn: Set<String> = AgentFolder.builtIn) {
        do {
            for file in try Self.files(in: path) { read(file, builtIn: builtIn) }
        } catch {
            if FileManager.default.fileExists(atPath: path) {
                problems.append(AgentFileProblem(file: path, message: "the folder cannot be read"))
            }
            return
        }
        checkNames(builtIn)
    }

    /// Some files before they are part of an installation. They may name what else there is in their folders.
    public init(checking paths: [String]) {
        for path in paths { read(path, builtIn: Self.builtIn) }
        let own = problems
        let folders = Set(paths.map { path in path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "." })
        for file in folders.sorted().flatMap({ (try? Self.files(in: $0)) ?? [] }) where !paths.contains(file) {
            read(file, builtIn: Self.builtIn)
        }
        // What is wrong with the others was not asked.
        problems = own
        checkNames(Self.builtIn)
        problems.removeAll { !paths.contains($0.file) }
        agents.removeAll { !paths.contains(self.paths[$0.name] ?? "") }
    }

    /// The file of one of the agents.
    public func path(of agent: AgentFile) -> String? { paths[agent.name] }

    private static func files(in path: String) throws -> [String] {
        let names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        return names.filter { !$0.hasPrefix(".") && ($0.hasSuffix(".yaml") || $0.hasSuffix(".yml")) }
            .map { "\(path)/\($0)" }
    }

    /// The agent of one file.
    public static func agent(at path: String) throws(AgentFileProblems) -> AgentFile {
        let bytes: Data
        do {
            bytes = try contents(of: path)
        } catch {
            throw AgentFileProblems(all: [error])
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw AgentFileProblems(all: [AgentFileProblem(file: path, message: "the file is not UTF-8")])
        }
        return try AgentFile(text, name: name(of: path), file: path)
    }

    private static func contents(of path: String) throws(AgentFileProblem) -> Data {
        let files = FileManager.default
        var isFolder = false
        guard files.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw AgentFileProblem(file: path, message: "there is no such file")
        }
        guard !isFolder else {
            throw AgentFileProblem(file: path, message: "this is a folder: name its files, \(path)/*.yaml")
        }
        guard files.isReadableFile(atPath: path), let bytes = files.contents(atPath: path) else {
            throw AgentFileProblem(file: path, message: "the file may not be read by this user")
        }
        return bytes
    }

    /// The file's name without `.yaml`; of a draft, such as `support.yaml.new`, what stands before the first point.
    private static func name(of path: String) -> String {
        let file = path.split(separator: "/").last ?? ""
        for ending in [".yaml", ".yml"] where file.hasSuffix(ending) { return String(file.dropLast(ending.count)) }
        return String(file.prefix { $0 != "." })
    }

    private mutating func read(_ path: String, builtIn: Set<String>) {
        let name = Self.name(of: path)
        guard agents.count < Self.mostAgents else {
            problems.append(AgentFileProblem(file: path, message: "there are more than \(Self.mostAgents) agents"))
            return
        }
        guard !Self.reserved.contains(name) else {
            let why = "no agent may be called \"\(name)\", as commands at set times are; name the file otherwise"
            problems.append(AgentFileProblem(file: path, message: why))
            return
        }
        guard !builtIn.contains(name), paths[name] == nil else {
            problems.append(AgentFileProblem(file: path, message: "there is an agent \"\(name)\" already"))
            return
        }
        do {
            agents.append(try Self.agent(at: path))
            paths[name] = path
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
        let file = paths[agent.name] ?? "\(agent.name).yaml"
        if let unknown = agent.others.first(where: { !known.contains($0) }) {
            return AgentFileProblem(file: file, message: "there is no agent \"\(unknown)\"")
        }
        if reaches(agent.name, from: agent) {
            return AgentFileProblem(file: file, message: "it would ask itself, by way of others")
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
