import AgentFiles
import Agents
import Contract
import RPC
import Wire

/// The tools of one run of an agent of a file, with what the run has read.
final class RunTools: Sendable {
    /// How long another agent may take; one that is asked waits for a model in its turn.
    private static let longestAnswer = Duration.seconds(300)

    let file: AgentFile
    let task: AgentFile.Instructed
    let question: Question
    let library: Library
    /// The agents it may ask, by name.
    let others: [String: any RunnableAgent]
    let taint: Taint
    /// What the run buys; nil when nobody keeps it.
    let steps: Steps?

    init(
        file: AgentFile,
        task: AgentFile.Instructed,
        question: Question,
        library: Library,
        others: [String: any RunnableAgent],
        taint: Taint,
        steps: Steps?
    ) {
        self.file = file
        self.task = task
        self.question = question
        self.library = library
        self.others = others
        self.taint = taint
        self.steps = steps
    }

    /// Runs `body` with all of them; servers of the Model Context Protocol live as long.
    func use<Result: Sendable>(_ body: @escaping @Sendable ([Tool]) async throws -> Result) async throws -> Result {
        let tools = try ownTools()
        if task.servers.isEmpty { return try await body(tools) }
        return try await use(task.servers.keys.sorted()[...], tools, body)
    }

    @inline(never)
    private func ownTools() throws -> [Tool] {
        try task.tools.filter { if case .mcp = $0 { false } else { true } }.map(tool)
    }

    @inline(never)
    private func use<Result: Sendable>(
        _ servers: ArraySlice<String>,
        _ tools: [Tool],
        _ body: @escaping @Sendable ([Tool]) async throws -> Result
    ) async throws -> Result {
        guard let name = servers.first, let server = task.servers[name] else { return try await body(tools) }
        return try await server.connect(name) { client in
            let own = try await self.tools(of: name, server, client)
            return try await self.use(servers.dropFirst(), tools + own, body)
        }
    }

    private func tool(_ name: ToolName) throws -> Tool {
        switch name {
        case .search, .read:
            let tools = try library.tools { [taint] sections in
                if !sections.isEmpty { taint.read(by: name.description) }
            }
            guard let tool = tools.first(where: { $0.name == name.description }) else {
                throw ServiceError.internal("There is no tool \(name).")
            }
            return tool
        case .list: return try listTool()
        case .fetch: return try fetchTool()
        case .agent(let agent): return try askTool(agent, name.callName)
        case .mcp: throw ServiceError.internal("A server's tool is known when the server is.")
        }
    }

    private func listTool() throws -> Tool {
        struct List: Decodable { var book: Int? }
        return try Tool(
            "list",
            "The books of the documentation; with the number of a book, its sections.",
            mayRepeat: true
        ) {
            [library, taint] (list: List) in
            taint.read(by: "list")
            guard let number = list.book else {
                let books = try await library.asking(ListBooks(limit: 200)).books
                return books.map { "\($0.id): \($0.title) (\($0.sectionCount) sections)" }.joined(separator: "\n")
            }
            let book = try await library.asking(GetBook(book: number, limit: 500))
            let sections = book.sections.map { "\($0.id): \($0.headings.joined(separator: " › "))" }
            return (sections + (book.next == nil ? [] : ["[There are more.]"])).joined(separator: "\n")
        }
    }

    private func fetchTool() throws -> Tool {
        let fetcher = PageFetcher(hosts: task.hosts)
        return try Tool(
            "fetch",
            "The text of a page. Hosts: \(task.hosts.joined(separator: ", ")).",
            mayRepeat: true,
            timeout: .seconds(60)
        ) { [taint] (fetch: CallPolicy.Fetch) in
            let text = try await fetcher.text(of: fetch.address)
            taint.read(by: "fetch")
            return text
        }
    }

    private func askTool(_ name: String, _ callName: String) throws -> Tool {
        struct Ask: Decodable { var input: String }
        guard let other = others[name] else { throw ServiceError.internal("There is no agent \(name).") }
        let description = other.description.isEmpty ? "Asks the agent \(name)." : other.description
        // What it asks is repeated as its own steps allow: those that were bought are answered.
        return try Tool(callName, description, mayRepeat: true, timeout: Self.longestAnswer) {
            [question, library, taint, steps] (ask: Ask) in
            let call = StepCall.current
            let asked = Question(text: ask.input, reader: question.reader, channel: question.channel)
            do {
                try asked.check(field: "input")
                let agent = other.tainted(by: taint.all)
                let part = try steps?.part(name, askedBy: call)
                let outcome = try await agent.answerUnlessAwaiting(asked, steps: part, trace: library.trace) { _ in }
                taint.read(by: callName)
                return outcome.output?.description ?? outcome.answer ?? ""
            } catch let error as AgentError where error.code == .interrupted {
                // A person has to look, and no model goes on with that.
                call?.breakOff(error)
                throw error
            } catch let error as ServiceError {
                throw ToolError(error.message)
            } catch let error as AgentError {
                throw ToolError(error.message)
            }
        }
    }

    private func tools(of name: String, _ server: AgentFile.MCPServer, _ client: MCPClient) async throws -> [Tool] {
        let offered = try await client.tools()
        var tools: [Tool] = []
        for wanted in task.tools {
            guard case .mcp(name, let toolName) = wanted else { continue }
            guard let definition = offered.first(where: { $0.name == toolName }) else {
                throw MCPError("it has no tool \"\(toolName)\"")
            }
            let callName = wanted.callName
            let tool = try Tool(
                callName,
                definition.description,
                parameters: definition.parameters,
                // As the file says; what the server says of itself nobody has looked at.
                mayRepeat: server.readOnly.contains(toolName),
                timeout: .seconds(server.seconds + 1)
            ) { [taint] arguments in
                guard let arguments = JSONValue(text: arguments) else { throw ToolError("The arguments are no JSON.") }
                taint.read(by: callName)
                do {
                    return try await client.call(toolName, arguments: arguments)
                } catch let error as MCPError {
                    throw ToolError("The server \(name) cannot be used: \(error).")
                }
            }
            tools.append(tool)
        }
        return tools
    }
}

extension AgentFile.MCPServer {
    /// Runs `body` with the server, which is started or said hello to before it.
    func connect<Result: Sendable>(
        _ name: String,
        _ body: @escaping @Sendable (MCPClient) async throws -> Result
    ) async throws -> Result {
        let timeout = Duration.seconds(seconds)
        @Sendable func greeting(_ transport: any MCPTransport) async throws -> Result {
            let client = MCPClient(transport: transport)
            try await client.begin()
            return try await body(client)
        }
        do {
            switch transport {
            case .command(let command): return try await MCPProcess.run(command, timeout: timeout, greeting)
            case .url(let url): return try await MCPHTTP.run(url, timeout: timeout, greeting)
            }
        } catch let error as MCPError {
            throw ServiceError(
                .failedPrecondition,
                "The server \"\(name)\" of the agent cannot be used: \(error).",
                retry: .no
            )
        }
    }
}
