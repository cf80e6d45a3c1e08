// What both of OpenAI's APIs are asked in the same words.

extension ModelRequest {
    /// Whether a tool is to be called, and several at once.
    func toolChoice(as capabilities: ModelCapabilities) -> [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        switch toolChoice {
        case .required where capabilities.requiredTools: members.append(.init("tool_choice", "required"))
        case .forbidden: members.append(.init("tool_choice", "none"))
        case .automatic, .required: break
        }
        if let parallel = options.parallelToolCalls, capabilities.parallelToolCalls {
            members.append(.init("parallel_tool_calls", .bool(parallel)))
        }
        return members
    }
}

extension ModelOptions {
    /// How words are chosen, where the model can be told.
    func sampling(as capabilities: ModelCapabilities) -> [JSONValue.Member] {
        guard capabilities.sampling else { return [] }
        return [
            temperature.map { .init("temperature", .number($0)) }, topP.map { .init("top_p", .number($0)) },
        ].compactMap(\.self)
    }
}

extension ModelCapabilities {
    /// The word for how hard to think, where the model takes one.
    func effort(_ thinking: ThinkingEffort?) -> String? {
        guard let thinking, self.thinking == .effort else { return nil }
        return thinking == .off ? leastEffort : thinking.rawValue
    }
}
