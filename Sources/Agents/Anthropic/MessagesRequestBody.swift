/// The body of a request to the Messages API.
///
/// Tools, instructions and the conversation so far each end in a mark for the provider's cache: what stands before a mark need
/// not be read again in the next request.
enum MessagesRequestBody {
    /// Bounds a model is not held to by the provider, which refuses them; they are checked when the answer is there.
    private static let refusedKeywords: Set<String> = [
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength",
        "maxItems",
        "uniqueItems", "minProperties", "maxProperties",
    ]
    private static let mark = JSONValue.Member("cache_control", ["type": "ephemeral"])

    /// Not inlined: the frame that waits for the answer would hold what it needs.
    @inline(never)
    static func json(
        _ request: ModelRequest,
        model: String,
        capabilities: ModelCapabilities,
        streams: Bool
    ) -> JSONValue {
        let isCached = request.options.promptCache
        let thinking = Thought(request.options, capabilities)
        var members: [JSONValue.Member] = [
            .init("model", .string(model)), .init("max_tokens", .integer(thinking.maxTokens)),
        ]
        if !request.tools.isEmpty {
            members.append(.init("tools", .array(marked(request.tools.map(tool), isCached))))
            if let choice = toolChoice(request, capabilities, isThinking: thinking.isOn) {
                members.append(.init("tool_choice", choice))
            }
        }
        let system = request.messages.compactMap { if case .system(let text) = $0 { text } else { nil } }
        if !system.isEmpty {
            let text: JSONValue = ["type": "text", "text": .string(system.joined(separator: "\n\n"))]
            members.append(.init("system", .array(marked([text], isCached))))
        }
        members.append(.init("messages", .array(messages(request.messages, isCached))))
        if streams { members.append(.init("stream", true)) }
        members += thinking.members(request.format, capabilities)
        return .object(members + sampling(request.options, capabilities, isThinking: thinking.isOn))
    }

    /// How much it thinks, and what follows from that.
    private struct Thought {
        private let effort: ThinkingEffort?
        private let control: ModelCapabilities.ThinkingControl
        private let budget: Int
        let maxTokens: Int

        init(_ options: ModelOptions, _ capabilities: ModelCapabilities) {
            effort = options.thinking == .off ? nil : options.thinking
            control = effort == nil ? .none : capabilities.thinking
            budget =
                switch effort {
                case .low: 2_048
                case .high: 16_384
                case .medium, .off, nil: 8_192
                }
            // A budget for thinking counts as output, and has to leave room for the answer.
            maxTokens = (options.maxTokens ?? capabilities.outputTokens) + (control == .budget ? budget : 0)
        }

        var isOn: Bool { control == .budget || control == .adaptive }

        func members(_ format: AnswerFormat, _ capabilities: ModelCapabilities) -> [JSONValue.Member] {
            var members: [JSONValue.Member] = []
            var config: [JSONValue.Member] = []
            switch control {
            case .budget:
                members.append(.init("thinking", ["type": "enabled", "budget_tokens": .integer(budget)]))
            case .adaptive:
                members.append(.init("thinking", ["type": "adaptive"]))
                config.append(.init("effort", .string(effort?.rawValue ?? "medium")))
            case .none, .effort: break
            }
            if case .schema(_, let schema) = format, capabilities.nativeSchema {
                let taken = schema.without(MessagesRequestBody.refusedKeywords)
                config.append(.init("format", ["type": "json_schema", "schema": taken]))
            }
            if !config.isEmpty { members.append(.init("output_config", .object(config))) }
            return members
        }
    }

    private static func sampling(
        _ options: ModelOptions,
        _ capabilities: ModelCapabilities,
        isThinking: Bool
    ) -> [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        if capabilities.sampling, !isThinking {
            if let temperature = options.temperature {
                members.append(.init("temperature", .number(min(temperature, 1))))
            }
            if let topP = options.topP { members.append(.init("top_p", .number(topP))) }
        }
        if !options.stop.isEmpty { members.append(.init("stop_sequences", .array(options.stop.map(JSONValue.string)))) }
        return members
    }

    /// Whoever thinks cannot be made to call a tool.
    private static func toolChoice(
        _ request: ModelRequest,
        _ capabilities: ModelCapabilities,
        isThinking: Bool
    ) -> JSONValue? {
        let kind: JSONValue =
            switch request.toolChoice {
            case .required where capabilities.requiredTools && !isThinking: "any"
            case .forbidden: "none"
            case .automatic, .required: "auto"
            }
        let isAlone = request.options.parallelToolCalls == false && kind != "none"
        guard kind != "auto" || isAlone else { return nil }
        return .object([.init("type", kind)] + (isAlone ? [.init("disable_parallel_tool_use", true)] : []))
    }

    private static func tool(_ tool: ToolDefinition) -> JSONValue {
        [
            "name": .string(tool.name),
            "description": .string(tool.description),
            "input_schema": tool.parameters,
        ]
    }

    private static func marked(_ values: [JSONValue], _ isCached: Bool) -> [JSONValue] {
        guard isCached, case .object(let members)? = values.last, members.first?.value != "thinking" else {
            return values
        }
        return values.dropLast() + [.object(members + [mark])]
    }

    // MARK: The conversation

    /// The provider wants turns: what a user says stands in one message with the results of the tools before it.
    private static func messages(_ messages: [Message], _ isCached: Bool) -> [JSONValue] {
        var turns: [(role: String, content: [JSONValue])] = []
        for message in messages {
            guard let (role, content) = content(of: message), !content.isEmpty else { continue }
            if turns.last?.role == role {
                turns[turns.count - 1].content += content
            } else {
                turns.append((role, content))
            }
        }
        let last = turns.indices.last
        return turns.indices.map { index in
            let content = turns[index].content
            return [
                "role": .string(turns[index].role),
                "content": .array(marked(content, isCached && index == last)),
            ]
        }
    }

    private static func content(of message: Message) -> (role: String, content: [JSONValue])? {
        switch message {
        case .system: return nil
        case .user(let text, let images):
            let said: [JSONValue] = text.isEmpty ? [] : [["type": "text", "text": .string(text)]]
            return ("user", images.map(image) + said)
        case .tool(let result):
            var block: [JSONValue.Member] = [
                .init("type", "tool_result"), .init("tool_use_id", .string(result.callID)),
                .init("content", .string(result.content)),
            ]
            if result.isError { block.append(.init("is_error", true)) }
            return ("user", [.object(block)])
        case .assistant(let text, let calls, let thinking):
            // White space alone is refused as text.
            let said: [JSONValue] =
                text.allSatisfy(\.isWhitespace) ? [] : [["type": "text", "text": .string(text)]]
            return ("assistant", thinking.compactMap(thought) + said + calls.map(call))
        }
    }

    private static func image(_ image: Image) -> JSONValue {
        switch image.source {
        case .url(let url): ["type": "image", "source": ["type": "url", "url": .string(url)]]
        case .data(let mediaType, let base64):
            [
                "type": "image",
                "source": ["type": "base64", "media_type": .string(mediaType), "data": .string(base64)],
            ]
        }
    }

    private static func thought(_ thinking: Thinking) -> JSONValue? {
        guard let seal = thinking.seal else { return nil }
        switch seal.format {
        case MessagesAssembler.format:
            return ["type": "thinking", "thinking": .string(thinking.text), "signature": .string(seal.data)]
        case MessagesAssembler.redactedFormat: return ["type": "redacted_thinking", "data": .string(seal.data)]
        default: return nil
        }
    }

    /// What a model wrote that is no object cannot be sent back as it was.
    private static func call(_ call: ToolCall) -> JSONValue {
        let input = JSONValue(text: call.arguments)
        let isObject = if case .object? = input { true } else { false }
        return [
            "type": "tool_use",
            "id": .string(call.id),
            "name": .string(call.name),
            "input": isObject ? input ?? [:] : [:],
        ]
    }
}
