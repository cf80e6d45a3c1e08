/// The JSON of the Responses API, as OpenAI writes it.
public enum ResponsesJSON {
    /// A streamed event.
    public static func event(_ type: String, _ fields: String) -> String {
        "event: \(type)\ndata: {\"type\":\"\(type)\",\(fields)}\n\n"
    }

    static func stream(_ answer: ScriptedAnswer) -> String {
        var stream = event("response.created", #""response":{"id":"resp_1","status":"in_progress","output":[]}"#)
        for (place, item) in items(answer).enumerated() {
            let at = #""output_index":\#(place)"#
            stream += event("response.output_item.added", #"\#(at),"item":{"type":"\#(item.type)"}"#)
            for piece in item.pieces {
                stream += event(item.pieceType, #"\#(at),"item_id":"x","delta":\#(ChatJSON.quoted(piece))"#)
            }
            stream += event("response.output_item.done", #"\#(at),"item":\#(item.json)"#)
        }
        let type = answer.end == .done ? "response.completed" : "response.incomplete"
        return stream + event(type, #""response":\#(whole(answer))"#)
    }

    static func whole(_ answer: ScriptedAnswer) -> String {
        let output = items(answer).map(\.json).joined(separator: ",")
        let reason =
            switch answer.end {
            case .done: "null"
            case .length: #"{"reason":"max_output_tokens"}"#
            case .filtered: #"{"reason":"content_filter"}"#
            }
        return #"{"id":"resp_1","object":"response","status":"\#(answer.end == .done ? "completed" : "incomplete")","#
            + #""error":null,"incomplete_details":\#(reason),"output":[\#(output)],"usage":\#(usage(answer.usage))}"#
    }

    private struct Item {
        var type: String
        var pieceType: String
        var pieces: [String]
        var json: String
    }

    private static func items(_ answer: ScriptedAnswer) -> [Item] {
        var items: [Item] = []
        if !answer.thinking.isEmpty {
            let text = ChatJSON.quoted(answer.thinking.joined())
            let json =
                #"{"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":\#(text)}],"#
                + #""encrypted_content":"sealed"}"#
            items.append(
                Item(
                    type: "reasoning",
                    pieceType: "response.reasoning_summary_text.delta",
                    pieces: answer.thinking,
                    json: json
                )
            )
        }
        if !answer.text.isEmpty {
            let text = ChatJSON.quoted(answer.text.joined())
            let json =
                #"{"id":"msg_1","type":"message","role":"assistant","content":[{"type":"output_text","text":\#(text)}]}"#
            items.append(
                Item(type: "message", pieceType: "response.output_text.delta", pieces: answer.text, json: json)
            )
        }
        return items + answer.calls.map(item)
    }

    private static func item(_ call: ScriptedCall) -> Item {
        Item(
            type: "function_call",
            pieceType: "response.function_call_arguments.delta",
            pieces: call.pieces,
            json: #"{"id":"fc_1","type":"function_call","call_id":\#(ChatJSON.quoted(call.id)),"#
                + #""name":\#(ChatJSON.quoted(call.name)),"arguments":\#(ChatJSON.quoted(call.arguments))}"#
        )
    }

    private static func usage(_ usage: ScriptedUsage?) -> String {
        guard let usage else { return "null" }
        return #"{"input_tokens":\#(usage.input),"input_tokens_details":{"cached_tokens":\#(usage.cached)},"#
            + #""output_tokens":\#(usage.output),"output_tokens_details":{"reasoning_tokens":\#(usage.thinking)}}"#
    }
}
