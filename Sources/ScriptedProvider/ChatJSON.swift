/// The JSON of Chat Completions, as a provider writes it.
public enum ChatJSON {
    /// A `chat.completion.chunk`.
    public static func chunk(delta: String, finishReason: String? = nil) -> String {
        #"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"scripted","choices":[{"index":0,"#
            + #""delta":\#(delta),"finish_reason":\#(finishReason.map(quoted) ?? "null")}],"usage":null}"#
    }

    /// A `chat.completion`.
    public static func completion(message: String, finishReason: String? = nil, usage: ScriptedUsage? = nil) -> String {
        #"{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"scripted","choices":[{"index":0,"#
            + #""message":\#(message),"finish_reason":\#(finishReason.map(quoted) ?? "null")}],"#
            + #""usage":\#(usage.map(Self.usage) ?? "null")}"#
    }

    /// The delta that begins a tool call.
    public static func callBegin(index: Int, _ call: ScriptedCall) -> String {
        #"{"tool_calls":[{"index":\#(index),"id":\#(quoted(call.id)),"type":"function","#
            + #""function":{"name":\#(quoted(call.name)),"arguments":""}}]}"#
    }

    /// A delta that goes on with a tool call's arguments.
    public static func callPiece(index: Int, _ arguments: String) -> String {
        #"{"tool_calls":[{"index":\#(index),"function":{"arguments":\#(quoted(arguments))}}]}"#
    }

    /// A `usage` object.
    public static func usage(_ usage: ScriptedUsage) -> String {
        #"{"prompt_tokens":\#(usage.input),"completion_tokens":\#(usage.output),"#
            + #""total_tokens":\#(usage.input + usage.output),"#
            + #""prompt_tokens_details":{"cached_tokens":\#(usage.cached)},"#
            + #""completion_tokens_details":{"reasoning_tokens":\#(usage.thinking)}}"#
    }

    /// A JSON string.
    public static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case "\u{0}"..."\u{1F}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

extension ChatJSON {
    static func stream(_ answer: ScriptedAnswer) -> String {
        var chunks = answer.thinking.map { chunk(delta: #"{"reasoning_content":\#(quoted($0))}"#) }
        chunks += answer.text.map { chunk(delta: #"{"content":\#(quoted($0))}"#) }
        for (index, call) in answer.calls.enumerated() {
            chunks.append(chunk(delta: callBegin(index: index, call)))
            chunks += call.pieces.map { chunk(delta: callPiece(index: index, $0)) }
        }
        chunks.append(chunk(delta: "{}", finishReason: reason(answer)))
        if let usage = answer.usage { chunks.append(#"{"choices":[],"usage":\#(Self.usage(usage))}"#) }
        return (chunks + ["[DONE]"]).map { "data: \($0)\n\n" }.joined()
    }

    static func whole(_ answer: ScriptedAnswer) -> String {
        let calls = answer.calls.map { call in
            #"{"id":\#(quoted(call.id)),"type":"function","function":{"name":\#(quoted(call.name)),"#
                + #""arguments":\#(quoted(call.arguments))}}"#
        }
        let thinking =
            answer.thinking.isEmpty ? "" : #""reasoning_content":\#(quoted(answer.thinking.joined())),"#
        let message =
            #"{"role":"assistant",\#(thinking)"content":\#(quoted(answer.text.joined())),"#
            + #""tool_calls":[\#(calls.joined(separator: ","))]}"#
        return completion(message: message, finishReason: reason(answer), usage: answer.usage)
    }

    private static func reason(_ answer: ScriptedAnswer) -> String {
        switch answer.end {
        case .done: answer.calls.isEmpty ? "stop" : "tool_calls"
        case .length: "length"
        case .filtered: "content_filter"
        }
    }
}

/// A tool call of a scripted answer.
public struct ScriptedCall: Sendable {
    /// Its id.
    public var id: String
    /// The tool's name.
    public var name: String
    /// JSON text.
    public var arguments: String

    /// A tool call.
    public init(id: String, name: String, arguments: String) {
        self.id = id
        self.name = name
        self.arguments = arguments
    }

    /// The arguments in the two pieces they are streamed in.
    var pieces: [String] {
        let half = arguments.index(arguments.startIndex, offsetBy: arguments.count / 2)
        return [String(arguments[..<half]), String(arguments[half...])].filter { !$0.isEmpty }
    }
}

/// The tokens of a scripted answer.
public struct ScriptedUsage: Sendable {
    /// Tokens of the prompt, those of the cache included.
    public var input: Int
    /// Tokens of the answer, those of its thinking included.
    public var output: Int
    /// Of the prompt, those the provider had in its cache.
    public var cached: Int
    /// Of the prompt, those it put there.
    public var written: Int
    /// Of the answer, those of its thinking.
    public var thinking: Int

    /// Tokens.
    public init(input: Int, output: Int, cached: Int = 0, written: Int = 0, thinking: Int = 0) {
        self.input = input
        self.output = output
        self.cached = cached
        self.written = written
        self.thinking = thinking
    }
}
