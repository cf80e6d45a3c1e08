import Contract
import HTTPTypes
import Hummingbird
import NIOCore
import RPC
import Wire

/// `POST /mcp`: Octavo as a server of the Model Context Protocol, over streamable HTTP: the documentation and the agents as
/// tools. It keeps no sessions, so that any gateway can answer any message.
struct MCPRoutes: Sendable {
    /// The newest first; they differ in nothing that is used here.
    private static let versions = ["2025-11-25", "2025-06-18", "2025-03-26"]

    let storage: RPCClient
    let follower: RunFollower
    let limits: HTTPLimits

    func add(to router: Router<BasicRequestContext>) {
        router.post("mcp") { request, _ in try await answer(request) }
    }

    private func answer(_ request: Request) async throws -> Response {
        try Self.checkOrigin(of: request)
        let bytes = try await JSONBody.bytes(of: request, limits: limits)
        let message: MCPRequest
        do throws(MCPFailure) {
            message = try MCPRequest(bytes)
        } catch {
            return error.response(to: error.id, status: .badRequest)
        }
        // By the first request it is only agreed on.
        if message.method != "initialize" { try Self.checkVersion(of: request) }
        // A notification, of which none concerns us.
        guard let id = message.id else { return Response(status: .accepted) }
        do throws(MCPFailure) {
            let result = try await result(of: message.method, message.parameters, trace: Trace.of(request))
            return JSONResponse.response(JSON(object: ["jsonrpc": JSON(string: "2.0"), "id": id, "result": result]))
        } catch {
            return error.response(to: id)
        }
    }

    /// What was agreed on, which clients say with each request behind the first. Without it one is older than the header.
    private static func checkVersion(of request: Request) throws {
        guard let name = HTTPField.Name("mcp-protocol-version"), let version = request.headers[name] else { return }
        guard versions.contains(version) else {
            let known = versions.joined(separator: ", ")
            throw ServiceError.invalidArgument(
                "MCP-Protocol-Version is \"\(version.prefix(40))\"; it has to be one of \(known)."
            )
        }
    }

    /// A page in a browser says where it is from. One from elsewhere may have found its way here by a name that it made
    /// point to this machine.
    private static func checkOrigin(of request: Request) throws {
        guard let origin = request.headers[.origin] else { return }
        guard let host = request.head.authority, origin == "http://\(host)" || origin == "https://\(host)" else {
            throw ServiceError(.permissionDenied, "Pages of \(origin.prefix(100)) may not call this.", retry: .no)
        }
    }

    private func result(of method: String, _ parameters: JSON?, trace: TraceParent) async throws(MCPFailure) -> JSON {
        switch method {
        case "initialize": return Self.hello(asked: parameters?.member("protocolVersion")?.string)
        case "ping": return JSON(object: [:])
        case "tools/list": return JSON(object: ["tools": JSON(array: try await tools())])
        case "tools/call":
            guard let name = parameters?.member("name")?.string else {
                throw MCPFailure(code: -32602, message: "\"name\" is missing.")
            }
            let arguments = parameters?.member("arguments") ?? .null
            return try await call(name, arguments == .null ? .emptyObject : arguments, trace: trace)
        default: throw MCPFailure(code: -32601, message: "There is no method \"\(method.prefix(60))\".")
        }
    }

    private static func hello(asked: String?) -> JSON {
        let version = versions.first { $0 == asked } ?? versions[0]
        return JSON(object: [
            "protocolVersion": JSON(string: version),
            "capabilities": JSON(object: ["tools": JSON(object: [:])]),
            "serverInfo": JSON(object: ["name": JSON(string: "octavo"), "version": JSON(string: octavoVersion)]),
            "instructions": JSON(
                string:
                    "Searches and reads this house's documentation, and asks its agents. Cite sections by their number."
            ),
        ])
    }

    private func tools() async throws(MCPFailure) -> [JSON] {
        let list = try await failing { try await follower.runner.client(for: .new()).perform(ListAgents()) }
        return MCPTool.ofDocumentation.map(\.json) + list.agents.map { MCPTool(asking: $0).json }
    }

    private func call(_ name: String, _ arguments: JSON, trace: TraceParent) async throws(MCPFailure) -> JSON {
        do {
            try MCPTool.ofDocumentation.first { $0.name == name }?.check(arguments)
            switch name {
            case MCPTool.search.name:
                let search = SearchSections(
                    query: arguments.member("query")?.string ?? "",
                    limit: arguments.member("limit")?.wholeNumber ?? 8
                )
                return Self.content(try await storage.perform(search, traceparent: trace))
            case MCPTool.read.name:
                let section = arguments.member("section")?.wholeNumber ?? 0
                let read = try await storage.perform(GetSections(sections: [section]), traceparent: trace)
                guard let found = read.sections.first else {
                    throw ServiceError.notFound("There is no section \(section).")
                }
                return Self.content(found)
            case MCPTool.books.name:
                return Self.content(try await storage.perform(ListBooks(limit: 500), traceparent: trace))
            default: return try await ask(name, arguments, trace: trace)
            }
        } catch let error as MCPFailure {
            throw error
        } catch {
            // What a model can mend or live with is a result; only what concerns the protocol is an error of it.
            return Self.content((error as? ServiceError)?.message ?? "Something went wrong here.", isError: true)
        }
    }

    private func ask(_ name: String, _ arguments: JSON, trace: TraceParent) async throws -> JSON {
        let list = try await follower.runner.client(for: .new()).perform(ListAgents())
        guard let agent = list.agents.first(where: { MCPTool.name(asking: $0.name) == name }) else {
            throw MCPFailure(code: -32602, message: "There is no tool \"\(name.prefix(80))\".")
        }
        try MCPTool(asking: agent).check(arguments)
        let question = Question(text: arguments.member("input")?.string ?? "", channel: .http)
        try question.check(field: "input")
        let start = StartRun(run: .new(), agent: agent.name, question: question, isNew: true)
        switch try await follower.ending(of: start, trace: trace) {
        case .finished(let outcome): return Self.content(outcome)
        case .waiting(let notice):
            let sentence =
                "A person has to approve first that \(notice.agent) calls \(notice.tool). The run \(start.run) goes on then."
            return Self.content(sentence, isError: true)
        }
    }

    private func failing<Result>(_ body: () async throws -> Result) async throws(MCPFailure) -> Result {
        do { return try await body() } catch {
            let message = (error as? ServiceError)?.message ?? "Something went wrong here."
            throw MCPFailure(code: -32603, message: message)
        }
    }
}
