/// The body of a Chat Completions request, written in the same order each time so that the provider's cache knows it again.
enum ChatRequestBody {
    /// Not inlined: the frame that waits for the answer would hold what it needs.
    @inline(never)
    static func json(
        _ request: ModelRequest,
        model: String,
        capabilities: ModelCapabilities,
        streams: Bool
    ) -> JSONValue {
        var members: [JSONValue.Member] = [.init("model", .string(model))]
        if !request.tools.isEmpty {
            members.append(.init("tools", .array(request.tools.map(tool))))
            members += request.toolChoice(as: capabilities)
        }
        members.append(.init("messages", .array(request.messages.map(message))))
        if let format = format(request.format, capabilities) { members.append(.init("response_format", format)) }
        if streams {
            members.append(.init("stream", true))
            members.append(.init("stream_options", ["include_usage": true]))
        }
        return .object(members + options(request.options, capabilities))
    }

    private static func format(_ format: AnswerFormat, _ capabilities: ModelCapabilities) -> JSONValue? {
        switch format {
        case .schema(let name, let schema) where capabilities.nativeSchema:
            let definition: JSONValue = ["name": .string(name), "schema": schema, "strict": .bool(schema.isStrict)]
            return ["type": "json_schema", "json_schema": definition]
        case .json where capabilities.json, .schema where capabilities.json: return ["type": "json_object"]
        case .text, .json, .schema: return nil
        }
    }

    private static func options(_ options: ModelOptions, _ capabilities: ModelCapabilities) -> [JSONValue.Member] {
        var members = options.sampling(as: capabilities)
        if let maxTokens = options.maxTokens {
            members.append(.init(capabilities.tokenLimit.rawValue, .integer(maxTokens)))
        }
        if !options.stop.isEmpty { members.append(.init("stop", .array(options.stop.map(JSONValue.string)))) }
        if let effort = capabilities.effort(options.thinking) {
            members.append(.init("reasoning_effort", .string(effort)))
        }
        if let seed = options.seed { members.append(.init("seed", .integer(seed))) }
        return members
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
        case .user(let text, let images) where images.isEmpty: return ["role": "user", "content": .string(text)]
        case .user(let text, let images):
            let shown = images.map { image -> JSONValue in
                ["type": "image_url", "image_url": ["url": .string(image.address)]]
            }
            return ["role": "user", "content": .array([["type": "text", "text": .string(text)]] + shown)]
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
