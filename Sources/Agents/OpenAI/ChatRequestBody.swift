/// The body of a Chat Completions request, written in the same order each time so that the provider's cache knows it again.
enum ChatRequestBody {
    static func text(_ request: ModelRequest, model: String, tokenLimit: ChatTokenLimit) -> String {
        var members: [JSONValue.Member] = [.init("model", .string(model))]
        if !request.tools.isEmpty { members.append(.init("tools", .array(request.tools.map(tool)))) }
        members.append(.init("messages", .array(request.messages.map(message))))
        members.append(.init("stream", true))
        members.append(.init("stream_options", ["include_usage": true]))
        if let temperature = request.options.temperature { members.append(.init("temperature", .number(temperature))) }
        if let maxTokens = request.options.maxTokens { members.append(.init(tokenLimit.rawValue, .integer(maxTokens))) }
        return JSONValue.object(members).text
    }

    private static func tool(_ tool: ToolDefinition) -> JSONValue {
        [
            "type": "function",
            "function": [
                "name": .string(tool.name),
                "description": .string(tool.description),
                "parameters": tool.parameters,
            ],
        ]
    }

    private static func message(_ message: Message) -> JSONValue {
        switch message {
        case .system(let text): return ["role": "system", "content": .string(text)]
        case .user(let text, _): return ["role": "user", "content": .string(text)]
        case .tool(let result):
            return ["role": "tool", "tool_call_id": .string(result.callID), "content": .string(result.content)]
        case .assistant(let text, let calls, _) where calls.isEmpty:
            return ["role": "assistant", "content": .string(text)]
        case .assistant(let text, let calls, _):
            // Some providers refuse an empty text beside tool calls; all take `null`.
            return [
                "role": "assistant",
                "content": text.isEmpty ? .null : .string(text),
                "tool_calls": .array(calls.map(call)),
            ]
        }
    }

    private static func call(_ call: ToolCall) -> JSONValue {
        [
            "id": .string(call.id),
            "type": "function",
            "function": ["name": .string(call.name), "arguments": .string(call.arguments)],
        ]
    }
}

/// What the limit on an answer's tokens is called. OpenAI's newer models refuse the old name, most others know only that.
enum ChatTokenLimit: String {
    case old = "max_tokens"
    case new = "max_completion_tokens"
}
