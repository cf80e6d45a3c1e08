/// One streamed event of the Responses API. What is not understood is as good as absent.
struct ResponsesEvent: Decodable {
    var type: String?
    var delta: String?
    var place: Int?
    var item: ResponsesItem?
    var response: Response?

    private enum CodingKeys: String, CodingKey {
        case type, delta, item, response
        case place = "output_index"
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        type = try fields.decodeIfPresent(String.self, forKey: .type)
        // Of events that are not read, `delta` may be anything.
        delta = try? fields.decodeIfPresent(String.self, forKey: .delta)
        place = try? fields.decodeIfPresent(Int.self, forKey: .place)
        item = try fields.decodeIfPresent(ResponsesItem.self, forKey: .item)
        // Only the last one is of use; the others say the same again and again.
        let isEnd = type == "response.completed" || type == "response.incomplete"
        response = isEnd ? try fields.decodeIfPresent(Response.self, forKey: .response) : nil
    }

    /// A whole response.
    struct Response: Decodable {
        var status: String?
        var output: [ResponsesItem]?
        var usage: Tokens?
        var incompleteDetails: Incomplete?
        var error: JSONValue?

        private enum CodingKeys: String, CodingKey {
            case status, output, usage, error
            case incompleteDetails = "incomplete_details"
        }
    }

    struct Incomplete: Decodable {
        var reason: String?
    }

    struct Tokens: Decodable {
        var input: Int?
        var output: Int?
        var inputDetails: InputDetails?
        var outputDetails: OutputDetails?

        struct InputDetails: Decodable {
            var cached: Int?

            private enum CodingKeys: String, CodingKey { case cached = "cached_tokens" }
        }

        struct OutputDetails: Decodable {
            var thinking: Int?

            private enum CodingKeys: String, CodingKey { case thinking = "reasoning_tokens" }
        }

        private enum CodingKeys: String, CodingKey {
            case input = "input_tokens"
            case output = "output_tokens"
            case inputDetails = "input_tokens_details"
            case outputDetails = "output_tokens_details"
        }

        var usage: Usage {
            Usage(
                inputTokens: input ?? 0,
                cachedInputTokens: inputDetails?.cached ?? 0,
                outputTokens: output ?? 0,
                thinkingTokens: outputDetails?.thinking ?? 0
            )
        }
    }
}

/// An item of a response: what was said, thought, or called.
struct ResponsesItem: Decodable {
    var type: String?
    var id: String?
    var callID: String?
    var name: String?
    var arguments: String?
    var content: [Part]?
    var summary: [Part]?
    var encrypted: String?

    struct Part: Decodable {
        var type: String?
        var text: String?
        var refusal: String?
    }

    private enum CodingKeys: String, CodingKey {
        case type, id, name, arguments, content, summary
        case callID = "call_id"
        case encrypted = "encrypted_content"
    }

    var text: String { (content ?? []).compactMap { $0.text ?? $0.refusal }.joined() }

    var thinking: Thinking {
        let shown = (summary ?? []).isEmpty ? content ?? [] : summary ?? []
        return Thinking(
            shown.compactMap(\.text).joined(separator: "\n\n"),
            seal: encrypted.map { Thinking.Seal(format: ResponsesAssembler.format, id: id, data: $0) }
        )
    }
}
