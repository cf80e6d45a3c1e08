/// One entry of a conversation with a model.
///
/// A history is an array of these; instructions are not part of it, an ``Agent`` puts its own in front of every request.
public enum Message: Sendable, Hashable {
    /// Guidance that outranks what the user says.
    case system(String)
    /// What a person (or the calling program) said.
    case user(String)
    /// What the model said, and the tools it asked for. Either may be empty.
    case assistant(text: String, toolCalls: [ToolCall] = [])
    /// What a tool answered to one call.
    case tool(ToolResult)
}

/// A model's wish to have a tool called.
public struct ToolCall: Sendable, Hashable, Codable {
    /// Told apart by this within one answer of the model; the result carries it back.
    public var id: String
    /// The ``Tool/name``.
    public var name: String
    /// JSON text as the model wrote it: it may be anything, valid or not.
    public var arguments: String

    /// A call of the tool `name`.
    public init(id: String, name: String, arguments: String) {
        self.id = id
        self.name = name
        self.arguments = arguments
    }
}

/// What a tool answered.
public struct ToolResult: Sendable, Hashable, Codable {
    /// The ``ToolCall/id`` this answers.
    public var callID: String
    /// The ``Tool/name``.
    public var name: String
    /// What the model is told: the tool's text or JSON, or a sentence saying why it failed.
    public var content: String
    /// Whether `content` tells of a failure.
    public var isError: Bool

    /// The answer to one call.
    public init(callID: String, name: String, content: String, isError: Bool = false) {
        self.callID = callID
        self.name = name
        self.content = content
        self.isError = isError
    }
}

/// The stored form is meant to be kept: `{"role":"user","text":"…"}`, `{"role":"assistant","text":"…","toolCalls":[…]}`,
/// `{"role":"tool","result":{…}}`.
extension Message: Codable {
    private enum Role: String, Codable {
        case system, user, assistant, tool
    }

    private enum Key: String, CodingKey {
        case role, text, toolCalls, result
    }

    /// Reads the stored form. Throws `DecodingError` for an unknown role or a missing field.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        switch try fields.decode(Role.self, forKey: .role) {
        case .system: self = .system(try fields.decode(String.self, forKey: .text))
        case .user: self = .user(try fields.decode(String.self, forKey: .text))
        case .tool: self = .tool(try fields.decode(ToolResult.self, forKey: .result))
        case .assistant:
            self = .assistant(
                text: try fields.decode(String.self, forKey: .text),
                toolCalls: try fields.decodeIfPresent([ToolCall].self, forKey: .toolCalls) ?? []
            )
        }
    }

    /// Writes the stored form.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        switch self {
        case .system(let text):
            try fields.encode(Role.system, forKey: .role)
            try fields.encode(text, forKey: .text)
        case .user(let text):
            try fields.encode(Role.user, forKey: .role)
            try fields.encode(text, forKey: .text)
        case .assistant(let text, let toolCalls):
            try fields.encode(Role.assistant, forKey: .role)
            try fields.encode(text, forKey: .text)
            if !toolCalls.isEmpty { try fields.encode(toolCalls, forKey: .toolCalls) }
        case .tool(let result):
            try fields.encode(Role.tool, forKey: .role)
            try fields.encode(result, forKey: .result)
        }
    }
}
