/// The JSON of the Messages API, as Anthropic writes it.
public enum MessagesJSON {
    /// A streamed event.
    public static func event(_ type: String, _ fields: String = "") -> String {
        "event: \(type)\ndata: {\"type\":\"\(type)\"\(fields.isEmpty ? "" : "," + fields)}\n\n"
    }

    static func stream(_ answer: ScriptedAnswer) -> String {
        var stream = event(
            "message_start",
            #""message":{"id":"msg_1","type":"message","content":[],"usage":\#(input(answer))}"#
        )
        stream += event("ping")
        for (index, block) in blocks(answer).enumerated() {
            let at = #""index":\#(index)"#
            stream += event("content_block_start", #"\#(at),"content_block":\#(block.begin)"#)
            for delta in block.deltas { stream += event("content_block_delta", #"\#(at),"delta":\#(delta)"#) }
            stream += event("content_block_stop", at)
        }
        let usage = answer.usage.map { #","usage":{"output_tokens":\#($0.output)}"# } ?? ""
        stream += event("message_delta", #""delta":{"stop_reason":"\#(reason(answer))"}\#(usage)"#)
        return stream + event("message_stop")
    }

    static func whole(_ answer: ScriptedAnswer) -> String {
        let content = blocks(answer).map(\.json).joined(separator: ",")
        let usage =
            answer.usage.map { usage in
                String(input(answer).dropLast()) + #","output_tokens":\#(usage.output)}"#
            } ?? "null"
        return #"{"id":"msg_1","type":"message","role":"assistant","content":[\#(content)],"#
            + #""stop_reason":"\#(reason(answer))","usage":\#(usage)}"#
    }

    private struct Block {
        var begin: String
        var deltas: [String]
        var json: String
    }

    private static func blocks(_ answer: ScriptedAnswer) -> [Block] {
        var blocks: [Block] = []
        if !answer.thinking.isEmpty {
            let pieces = answer.thinking.map { #"{"type":"thinking_delta","thinking":\#(ChatJSON.quoted($0))}"# }
            let text = ChatJSON.quoted(answer.thinking.joined())
            blocks.append(
                Block(
                    begin: #"{"type":"thinking","thinking":"","signature":""}"#,
                    deltas: pieces + [#"{"type":"signature_delta","signature":"sealed"}"#],
                    json: #"{"type":"thinking","thinking":\#(text),"signature":"sealed"}"#
                )
            )
        }
        if !answer.text.isEmpty {
            blocks.append(
                Block(
                    begin: #"{"type":"text","text":""}"#,
                    deltas: answer.text.map { #"{"type":"text_delta","text":\#(ChatJSON.quoted($0))}"# },
                    json: #"{"type":"text","text":\#(ChatJSON.quoted(answer.text.joined()))}"#
                )
            )
        }
        return blocks + answer.calls.map(block)
    }

    private static func block(_ call: ScriptedCall) -> Block {
        let head =
            #"{"type":"tool_use","id":\#(ChatJSON.quoted(call.id)),"name":\#(ChatJSON.quoted(call.name)),"input":"#
        return Block(
            begin: head + "{}}",
            deltas: call.pieces.map { #"{"type":"input_json_delta","partial_json":\#(ChatJSON.quoted($0))}"# },
            json: head + (call.arguments.isEmpty ? "{}" : call.arguments) + "}"
        )
    }

    private static func input(_ answer: ScriptedAnswer) -> String {
        guard let usage = answer.usage else { return "null" }
        return #"{"input_tokens":\#(usage.input - usage.cached - usage.written),"#
            + #""cache_read_input_tokens":\#(usage.cached),"cache_creation_input_tokens":\#(usage.written)}"#
    }

    private static func reason(_ answer: ScriptedAnswer) -> String {
        switch answer.end {
        case .done: answer.calls.isEmpty ? "end_turn" : "tool_use"
        case .length: "max_tokens"
        case .filtered: "refusal"
        }
    }
}
