import AgentFiles
import Agents
import ArgumentParser
import Contract
import Glibc
import RPC
import Wire

/// `octavo agents`.
struct AgentsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agents",
        abstract: "The agents that can be asked, and those written down in files.",
        discussion: """
            An agent is built in, or a file NAME.yaml in /etc/octavo/agents (with octavo up: agents in its state folder).

              octavo agents check triage.yaml
              octavo reload agent-runner
              octavo agents run triage "The invoice of May is missing."

            README.md says what stands in such a file; for editors: octavo agents schema > agent.schema.json
            """,
        subcommands: [AgentsList.self, AgentsRun.self, AgentsCheck.self, AgentsSchema.self],
        defaultSubcommand: AgentsList.self
    )
}

/// `octavo agents list`.
struct AgentsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Which agents there are.")

    @Flag(help: "One JSON document, for scripts (protocol/agent-runner.md).") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let found = try await service.withService("agent-runner") { try await $0.json(ListAgents()) }
        if json { return Terminal.output.line(found.description) }
        let list = try found.decode(ListAgents.Result.self)
        Terminal.output.table(
            ["AGENT", "MODEL", "FROM", "WHAT FOR"],
            list.agents.map { [$0.name, $0.model, $0.origin.rawValue, Terminal.oneLine($0.description)] }
        )
        for problem in list.problems {
            let place = [problem.line, problem.column].compactMap(\.self).map { ":\($0)" }.joined()
            Terminal.error.line(Terminal.harmless("not usable: \(problem.file)\(place): \(problem.message)"))
        }
        if !list.problems.isEmpty { throw ExitCode(1) }
    }
}

/// `octavo agents run`.
struct AgentsRun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Give an agent a text; what it says appears as it comes.",
        discussion: """
            An agent that answers in a form of its own (output, classify, summarise) prints that as one JSON document, and nothing else.

              octavo agents run triage "The invoice of May is missing."
              octavo agents run summariser < report.txt
            """
    )

    @Argument(help: "The agent's name.") var agent: String
    @Argument(help: "The text; standard input when it is left out.") var text: [Word] = []
    @Option(
        help: ArgumentHelp(
            "The gateway's address. (default: OCTAVO_URL, else \(Asking.usualURL))",
            valueName: "address"
        )
    )
    var url: String?
    @Flag(help: "The outcome as one JSON document, for scripts (protocol/gateway.md).") var json = false

    func run() async throws {
        guard AgentFile.isName(agent) else {
            throw Failure("\"\(Terminal.harmless(agent))\" is no agent's name. There are: octavo agents list")
        }
        let asking = try Asking(url: url ?? environment("OCTAVO_URL") ?? Asking.usualURL)
        let text = text.isEmpty ? try Self.standardInput() : text.map(\.text).joined(separator: " ")
        if json {
            Terminal.output.line(try await asking.document(text, agent: agent))
        } else {
            try await asking.stream(text, agent: agent, hasForm: asking.hasForm(agent), to: .output)
        }
    }

    /// What is piped in. One octet more than an agent takes is enough for it to be refused with its reason.
    private static func standardInput() throws -> String {
        var bytes: [UInt8] = []
        while bytes.count <= Question.maximumBytes, let byte = nextByte() { bytes.append(byte) }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            // Cut within a character: too long, and known to be.
            guard bytes.count > Question.maximumBytes else { throw Failure("Standard input is not UTF-8.") }
            return String(decoding: bytes, as: UTF8.self)
        }
        return text
    }

    private static func nextByte() -> UInt8? {
        UInt8(exactly: getchar())
    }
}

/// `octavo agents check`.
struct AgentsCheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Look over files of agents; nothing has to be running.",
        discussion: """
              octavo agents check /etc/octavo/agents/*.yaml

            What is wrong is told as FILE:LINE:COLUMN, and the exit code is 1. Agents that a file names have to be built in, in the \
            same folder, or among the files. Models, their providers and servers are looked for when the agent runner takes the files.
            """
    )

    @Argument(help: "The files.") var files: [String]

    func run() throws {
        let folder = AgentFolder(checking: files)
        for agent in folder.agents {
            Terminal.output.line("\(Terminal.harmless(folder.path(of: agent) ?? "")): agent \(agent.name)")
        }
        for problem in folder.problems { Terminal.error.line(Terminal.harmless("\(problem)")) }
        if !folder.problems.isEmpty { throw ExitCode(1) }
    }
}

/// `octavo agents schema`.
struct AgentsSchema: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "The JSON Schema of an agent's file, for editors."
    )

    func run() {
        Terminal.output.line(AgentFileSchema.json.text)
    }
}
