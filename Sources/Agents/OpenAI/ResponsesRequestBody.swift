/// The body of a request to the Responses API. Nothing is stored at the provider: the whole conversation is sent each time, and
/// with it the encrypted thinking that belongs to it.
enum ResponsesRequestBody {
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
        members.append(.init("input", .array(request.messages.flatMap(items))))
        if let format = format(request.format, capabilities) { members.append(.init("text", ["format": format])) }
        members.append(.init("store", false))
        if streams { members.append(.init("stream", true)) }
        return .object(members + options(request.options, capabilities))
    }

    private static func format(_ format: AnswerFormat, _ capabilities: ModelCapabilities) -> JSONValue? {
        switch format {
        case .schema(let name, let schema) where capabilities.nativeSchema:
            return [
                "type": "json_schema", "name": .string(name), "schema": schema, "strict": .bool(schema.isStrict),
            ]
        case .json where capabilities.json, .schema where capabilities.json: return ["type": "json_object"]
        case .text, .json, .schema: return nil
        }
    }

    private static func options(_ options: ModelOptions, _ capabilities: ModelCapabilities) -> [JSONValue.Member] {
        var members = options.sampling(as: capabilities)
        if let maxTokens = options.maxTokens { members.append(.init("max_output_tokens", .integer(maxTokens))) }
        if capabilities.thinking == .effort {
            if let effort = capabilities.effort(options.thinking) {
                members.append(.init("reasoning", ["effort": .string(effort), "summary": "auto"]))
            }
            members.append(.init("include", ["reasoning.encrypted_content"]))
        }
        return members
    }

    private static func tool(_ tool: ToolDefinition) -> JSONValue {
        [
            "type": "function",
            "name": .string(tool.name),
            "description": .string(tool.description),
            "parameters": tool.parameters,
            "strict": .bool(tool.parameters.isStrict),
        ]
    }

    private static func items(_ message: Message) -> [JSONValue] {
        switch message {
        case .system(let text): return [["role": "system", "content": .string(text)]]
        case .user(let text, let images) where images.isEmpty: return [["role": "user", "content": .string(text)]]
        case .user(let text, let images):
            let shown = images.map { image -> JSONValue in
                ["type": "input_image", "image_url": .string(image.address)]
            }
            return [["role": "user", "content": .array([["type": "input_text", "text": .string(text)]] + shown)]]
        case .tool(let result):
            return [
                [
                    "type": "function_call_output",
                    "call_id": .string(result.callID),
                    "output": .string(result.content),
                ]
            ]
        case .assistant(let text, let calls, let thinking):
            let said: [JSONValue] = text.isEmpty ? [] : [["role": "assistant", "content": .string(text)]]
            return thinking.compactMap(reasoning) + said + calls.map(call)
        }
    }

    private static func reasoning(_ thinking: Thinking) -> JSONValue? {
        guard let seal = thinking.seal, seal.format == ResponsesAssembler.format, let id = seal.id else { return nil }
        let summary: [JSONValue] =
            thinking.text.isEmpty ? [] : [["type": "summary_text", "text": .string(thinking.text)]]
        return [
            "type": "reasoning",
            "id": .string(id),
            "summary": .array(summary),
            "encrypted_content": .string(seal.data),
        ]
    }

    private static func call(_ call: ToolCall) -> JSONValue {
        [
            "type": "function_call",
            "call_id": .string(call.id),
            "name": .string(call.name),
            "arguments": .string(call.arguments),
        ]
    }
}
