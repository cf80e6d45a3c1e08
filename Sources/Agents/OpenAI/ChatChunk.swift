/// One piece of a streamed answer, or a whole one that was not streamed: the same but for `message` in place of `delta`.
///
/// Providers differ in what they leave out, so everything is optional, and what is not understood is as good as absent.
/// Thinking has fields of its own: `reasoning_content`, or `reasoning`.
struct ChatChunk: Decodable {
    var choices: [Choice] = []
    var usage: Usage?
    var complaint: ProviderComplaint?

    struct Choice: Decodable {
        var index: Int?
        var delta: Delta?
        var message: Delta?
        var finishReason: String?
        /// Whether there is a field for the reason at all, be it null.
        var hasReasonField = false

        private enum CodingKeys: String, CodingKey {
            case index, delta, message
            case finishReason = "finish_reason"
        }

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            index = try fields.decodeIfPresent(Int.self, forKey: .index)
            delta = try fields.decodeIfPresent(Delta.self, forKey: .delta)
            message = try fields.decodeIfPresent(Delta.self, forKey: .message)
            finishReason = try fields.decodeIfPresent(String.self, forKey: .finishReason)
            hasReasonField = fields.contains(.finishReason)
        }
    }

    struct Delta: Decodable {
        var text: String?
        var thinking: String?
        var toolCalls: [CallDelta]?
    }

    struct CallDelta: Decodable {
        var index: Int?
        var id: String?
        var function: Function?

        struct Function: Decodable {
            var name: String?
            var arguments: String?
        }
    }
}

extension ChatChunk {
    private enum Key: String, CodingKey {
        case choices, usage, error
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        choices = try fields.decodeIfPresent([Choice].self, forKey: .choices) ?? []
        usage = (try? fields.decodeIfPresent(Tokens.self, forKey: .usage))?.usage
        let hasError = fields.contains(.error) && (try? fields.decodeNil(forKey: .error)) == false
        complaint = hasError ? try ProviderComplaint(from: decoder) : nil
    }

    /// The `usage` object.
    private struct Tokens: Decodable {
        var prompt: Int?
        var completion: Int?
        var promptDetails: PromptDetails?
        var completionDetails: CompletionDetails?
        /// As DeepSeek says it.
        var cacheHits: Int?

        struct PromptDetails: Decodable {
            var cached: Int?

            private enum CodingKeys: String, CodingKey { case cached = "cached_tokens" }
        }

        struct CompletionDetails: Decodable {
            var thinking: Int?

            private enum CodingKeys: String, CodingKey { case thinking = "reasoning_tokens" }
        }

        private enum CodingKeys: String, CodingKey {
            case prompt = "prompt_tokens"
            case completion = "completion_tokens"
            case promptDetails = "prompt_tokens_details"
            case completionDetails = "completion_tokens_details"
            case cacheHits = "prompt_cache_hit_tokens"
        }

        var usage: Usage? {
            // Some tell of nought in each piece.
            guard (prompt ?? 0) != 0 || (completion ?? 0) != 0 else { return nil }
            return Usage(
                inputTokens: prompt ?? 0,
                cachedInputTokens: promptDetails?.cached ?? cacheHits ?? 0,
                outputTokens: completion ?? 0,
                thinkingTokens: completionDetails?.thinking ?? 0
            )
        }
    }
}

extension ChatChunk.Delta {
    private enum Key: String, CodingKey {
        case content, refusal, reasoning
        case reasoningContent = "reasoning_content"
        case toolCalls = "tool_calls"
    }

    /// A part of a text that comes as an array, as Mistral's does.
    private struct Part: Decodable {
        var text: String?
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        toolCalls = try fields.decodeIfPresent([ChatChunk.CallDelta].self, forKey: .toolCalls)
        // What is absent is no error: each of those costs more than all the rest of a piece.
        thinking =
            (try? fields.decodeIfPresent(String.self, forKey: .reasoningContent))
            ?? (try? fields.decodeIfPresent(String.self, forKey: .reasoning))
        // A refusal is what the model says instead.
        let refusal = try? fields.decodeIfPresent(String.self, forKey: .refusal)
        text = [try Self.content(in: fields), refusal].compactMap { $0 }.joined()
    }

    /// A text, or the parts of one.
    private static func content(in fields: KeyedDecodingContainer<Key>) throws -> String? {
        do {
            return try fields.decodeIfPresent(String.self, forKey: .content)
        } catch {
            return try fields.decode([Part].self, forKey: .content).compactMap(\.text).joined()
        }
    }
}

extension ChatChunk.CallDelta.Function {
    private enum Key: String, CodingKey {
        case name, arguments
    }

    /// The arguments are JSON text; some local servers send the object itself.
    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        name = try fields.decodeIfPresent(String.self, forKey: .name)
        if let text = try? fields.decodeIfPresent(String.self, forKey: .arguments) {
            arguments = text
        } else {
            arguments = try fields.decodeIfPresent(JSONValue.self, forKey: .arguments)?.text
        }
    }
}
