import Agents

/// The messages of the Model Context Protocol, which are those of JSON-RPC 2.0.
enum MCPMessage {
    static func request(_ method: String, _ parameters: JSONValue?, id: Int) -> String {
        object(method, parameters, [.init("id", .integer(id))]).text
    }

    static func notification(_ method: String) -> String {
        object(method, nil, []).text
    }

    /// The answer to what a server asks of us: whether we are there, and otherwise that it is not offered.
    static func answer(to request: JSONValue) -> String? {
        guard let id = request["id"], case .string(let method)? = request["method"] else { return nil }
        var members: [JSONValue.Member] = [.init("jsonrpc", "2.0"), .init("id", id)]
        members.append(
            method == "ping"
                ? .init("result", .object([]))
                : .init("error", ["code": -32601, "message": "This client offers no such method."])
        )
        return JSONValue.object(members).text
    }

    /// The result in an answer. Throws `MCPError` for an error.
    static func result(of answer: JSONValue) throws(MCPError) -> JSONValue {
        if let result = answer["result"] { return result }
        guard case .string(let message)? = answer["error"]?["message"] else {
            throw MCPError("it answered with something that is no answer")
        }
        throw MCPError("it said: \(String(message.unicodeScalars.prefix(300)))")
    }

    private static func object(_ method: String, _ parameters: JSONValue?, _ more: [JSONValue.Member]) -> JSONValue {
        .object(
            [.init("jsonrpc", "2.0")] + more + [.init("method", .string(method))]
                + (parameters.map { [.init("params", $0)] } ?? [])
        )
    }
}

/// Why a server of the Model Context Protocol could not be used: the end of a sentence that begins with its name.
struct MCPError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
