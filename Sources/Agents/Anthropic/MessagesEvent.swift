/// One streamed event of the Messages API. What is not understood is as good as absent.
struct MessagesEvent: Decodable {
    var type: String?
    var index: Int?
    var message: Whole?
    var block: MessagesBlock?
    var delta: Delta?
    var usage: Tokens?

    private enum CodingKeys: String, CodingKey {
        case type, index, message, delta, usage
        case block = "content_block"
    }

    /// A message that is not streamed, or the empty one a stream begins with.
    struct Whole: Decodable {
        var type: String?
        var content: [MessagesBlock]?
        var stopReason: String?
        var usage: Tokens?

        private enum CodingKeys: String, CodingKey {
            case type, content, usage
            case stopReason = "stop_reason"
        }
    }

    struct Delta: Decodable {
        var type: String?
        var text: String?
        var thinking: String?
        var signature: String?
        var json: String?
        var stopReason: String?

        private enum CodingKeys: String, CodingKey {
            case type, text, thinking, signature
            case json = "partial_json"
            case stopReason = "stop_reason"
        }
    }

    /// Input comes in three parts: what was read from the cache, what was put into it, and the rest.
    struct Tokens: Decodable {
        var input: Int?
        var cacheRead: Int?
        var cacheWrite: Int?
        var output: Int?

        private enum CodingKeys: String, CodingKey {
            case input = "input_tokens"
            case cacheRead = "cache_read_input_tokens"
            case cacheWrite = "cache_creation_input_tokens"
            case output = "output_tokens"
        }

        /// The last counts are the ones that count; they are totals, not what was added.
        func updated(by later: Tokens?) -> Tokens {
            Tokens(
                input: later?.input ?? input,
                cacheRead: later?.cacheRead ?? cacheRead,
                cacheWrite: later?.cacheWrite ?? cacheWrite,
                output: later?.output ?? output
            )
        }

        var usage: Usage {
            let parts = [input, cacheRead, cacheWrite].map { Usage(inputTokens: $0 ?? 0) }
            return Usage(
                inputTokens: parts.reduce(Usage(), +).inputTokens,
                cachedInputTokens: cacheRead ?? 0,
                cacheWriteTokens: cacheWrite ?? 0,
                outputTokens: output ?? 0
            )
        }
    }
}

/// A block of an answer: text, thinking or a tool call.
struct MessagesBlock: Decodable {
    var type: String?
    var text: String?
    var thought: String?
    var signature: String?
    var data: String?
    var id: String?
    var name: String?
    private var input: JSONValue?
    private var json = ""

    private enum CodingKeys: String, CodingKey {
        case type, text, signature, data, id, name, input
        case thought = "thinking"
    }

    init() {}

    mutating func add(_ delta: MessagesEvent.Delta) -> [ModelEvent] {
        json += delta.json ?? ""
        if let piece = delta.signature { signature = (signature ?? "") + piece }
        if let piece = delta.thinking, !piece.isEmpty {
            type = type ?? "thinking"
            thought = (thought ?? "") + piece
            return [.thinking(piece)]
        }
        guard let piece = delta.text, !piece.isEmpty else { return [] }
        return [.text(piece)]
    }

    /// The arguments as JSON text, the same whether they came in pieces or as an object.
    var arguments: String {
        guard json.utf8.contains(where: { $0 > 0x20 }) else { return (input ?? [:]).text }
        return JSONValue(text: json)?.text ?? json
    }

    var thinking: Thinking? {
        switch type {
        case "thinking":
            let seal =
                (signature ?? "").isEmpty
                ? nil : Thinking.Seal(format: MessagesAssembler.format, data: signature ?? "")
            return Thinking(thought ?? "", seal: seal)
        case "redacted_thinking":
            return Thinking("", seal: .init(format: MessagesAssembler.redactedFormat, data: data ?? ""))
        default: return nil
        }
    }
}
