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
            + #""total_tokens":\#(usage.input + usage.output)}"#
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
}

/// The tokens of a scripted answer.
public struct ScriptedUsage: Sendable {
    /// Tokens of the prompt.
    public var input: Int
    /// Tokens of the answer.
    public var output: Int

    /// Tokens of both.
    public init(input: Int, output: Int) {
        self.input = input
        self.output = output
    }
}
