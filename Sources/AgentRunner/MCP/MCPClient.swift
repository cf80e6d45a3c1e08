import Agents

/// How messages travel to a server and back.
protocol MCPTransport: Sendable {
    /// Sends a request and returns the message that answers it.
    func call(_ method: String, _ parameters: JSONValue?) async throws -> JSONValue
    func notify(_ method: String) async throws
}

/// A server of the Model Context Protocol as a client sees it: its tools.
struct MCPClient: Sendable {
    /// The newest version that is spoken, and older ones that differ in nothing that is used here.
    private static let versions = ["2025-11-25", "2025-06-18", "2025-03-26"]
    /// Pages of a list of tools, and tools in all: a model would not find its way among more.
    private static let mostPages = 20
    private static let mostTools = 500

    let transport: any MCPTransport

    /// Says hello, as the protocol wants it before anything else.
    func begin() async throws {
        let parameters: JSONValue = [
            "protocolVersion": .string(Self.versions[0]),
            "capabilities": .object([]),
            "clientInfo": ["name": "octavo", "version": "1"],
        ]
        let result = try MCPMessage.result(of: try await transport.call("initialize", parameters))
        guard case .string(let version)? = result["protocolVersion"], Self.versions.contains(version) else {
            throw MCPError("it speaks none of the versions \(Self.versions.joined(separator: ", "))")
        }
        try await transport.notify("notifications/initialized")
    }

    /// What the server offers.
    func tools() async throws -> [ToolDefinition] {
        var tools: [ToolDefinition] = []
        var cursor: JSONValue?
        for _ in 0..<Self.mostPages {
            let parameters = cursor.map { JSONValue.object([.init("cursor", $0)]) }
            let page = try MCPMessage.result(of: try await transport.call("tools/list", parameters))
            guard case .array(let offered)? = page["tools"] else { throw MCPError("its list of tools is none") }
            tools += offered.compactMap(Self.definition)
            guard tools.count <= Self.mostTools else { throw MCPError("it has more than \(Self.mostTools) tools") }
            cursor = page["nextCursor"]
            if cursor == nil || cursor == .null { return tools }
        }
        throw MCPError("its list of tools has no end")
    }

    /// Calls a tool. Throws `ToolError` with what the tool says went wrong.
    func call(_ tool: String, arguments: JSONValue) async throws -> String {
        let parameters: JSONValue = ["name": .string(tool), "arguments": arguments]
        let result = try MCPMessage.result(of: try await transport.call("tools/call", parameters))
        let text = Self.text(of: result)
        guard result["isError"] != true else { throw ToolError(text.isEmpty ? "The tool failed." : text) }
        return text
    }

    private static func definition(_ offered: JSONValue) -> ToolDefinition? {
        guard case .string(let name)? = offered["name"], let schema = offered["inputSchema"] else { return nil }
        let description = if case .string(let text)? = offered["description"] { text } else { "" }
        return ToolDefinition(name: name, description: description, parameters: schema)
    }

    /// The text of what a tool answers; of pictures and the like only that they are there.
    private static func text(of result: JSONValue) -> String {
        guard case .array(let parts)? = result["content"] else { return result["structuredContent"]?.text ?? "" }
        return parts.map { part in
            if case .string(let text)? = part["text"] { return text }
            if case .string(let text)? = part["resource"]?["text"] { return text }
            let kind = if case .string(let type)? = part["type"] { type } else { "part" }
            return "[\(kind), which is not shown]"
        }
        .joined(separator: "\n")
    }
}
