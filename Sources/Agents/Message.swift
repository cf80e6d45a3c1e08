/// One entry of a conversation with a model.
///
/// A history is an array of these; instructions are not part of it, an ``Agent`` puts its own in front of every request.
public enum Message: Sendable, Hashable {
    /// Guidance that outranks what the user says.
    case system(String)
    /// What a person (or the calling program) said and showed.
    case user(String, images: [Image] = [])
    /// What the model said, the tools it asked for, and what it thought before. Any may be empty.
    case assistant(text: String, toolCalls: [ToolCall] = [], thinking: [Thinking] = [])
    /// What a tool answered to one call.
    case tool(ToolResult)

    /// About what it takes: four of them are a token, a picture some hundred.
    package var bytes: Int {
        switch self {
        case .system(let text): text.utf8.count
        case .user(let text, let images): text.utf8.count + images.count * 2_000
        case .assistant(let text, let calls, _): text.utf8.count + calls.reduce(0) { $0 + $1.arguments.utf8.count }
        case .tool(let result): result.content.utf8.count
        }
    }
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
public struct ToolResult: Sendable, Hashable {
    /// The ``ToolCall/id`` this answers.
    public var callID: String
    /// The ``Tool/name``.
    public var name: String
    /// What the model is told: the tool's text or JSON, or a sentence saying why it failed.
    public var content: String
    /// Whether `content` tells of a failure.
    public var isError: Bool
    /// Whether the failure was the model's: arguments that cannot be used, a tool that does not exist. These count against
    /// ``AgentLimits/toolRetries``.
    public var isMistake: Bool

    /// The answer to one call.
    public init(callID: String, name: String, content: String, isError: Bool = false, isMistake: Bool = false) {
        self.callID = callID
        self.name = name
        self.content = content
        self.isError = isError || isMistake
        self.isMistake = isMistake
    }
}

/// What a model thought before it spoke.
public struct Thinking: Sendable, Hashable, Codable {
    /// As far as the provider shows it; often a summary, and sometimes nothing.
    public var text: String
    /// What the provider wants to see again; nil for what it does not.
    public var seal: Seal?

    /// Thinking that goes back to its provider as it came: some refuse a conversation with tools from which it is missing.
    public struct Seal: Sendable, Hashable, Codable {
        /// Whose it is. Other providers are not sent it.
        public var format: String
        /// The provider's id for it, if it gives one.
        public var id: String?
        /// The signature, or the encrypted thinking.
        public var data: String

        /// A seal.
        public init(format: String, id: String? = nil, data: String) {
            self.format = format
            self.id = id
            self.data = data
        }
    }

    /// Thinking.
    public init(_ text: String, seal: Seal? = nil) {
        self.text = text
        self.seal = seal
    }
}

/// The stored form is meant to be kept: `{"role":"user","text":"…"}`, `{"role":"assistant","text":"…","toolCalls":[…]}`,
/// `{"role":"tool","result":{…}}`. What is empty or false is left out.
extension Message: Codable {
    private enum Role: String, Codable {
        case system, user, assistant, tool
    }

    private enum Key: String, CodingKey {
        case role, text, images, toolCalls, thinking, result
    }

    /// Reads the stored form. Throws `DecodingError` for an unknown role or a missing field.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        switch try fields.decode(Role.self, forKey: .role) {
        case .system: self = .system(try fields.decode(String.self, forKey: .text))
        case .user:
            self = .user(
                try fields.decode(String.self, forKey: .text),
                images: try fields.decodeIfPresent([Image].self, forKey: .images) ?? []
            )
        case .tool: self = .tool(try fields.decode(ToolResult.self, forKey: .result))
        case .assistant:
            self = .assistant(
                text: try fields.decode(String.self, forKey: .text),
                toolCalls: try fields.decodeIfPresent([ToolCall].self, forKey: .toolCalls) ?? [],
                thinking: try fields.decodeIfPresent([Thinking].self, forKey: .thinking) ?? []
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
        case .user(let text, let images):
            try fields.encode(Role.user, forKey: .role)
            try fields.encode(text, forKey: .text)
            if !images.isEmpty { try fields.encode(images, forKey: .images) }
        case .assistant(let text, let toolCalls, let thinking):
            try fields.encode(Role.assistant, forKey: .role)
            try fields.encode(text, forKey: .text)
            if !toolCalls.isEmpty { try fields.encode(toolCalls, forKey: .toolCalls) }
            if !thinking.isEmpty { try fields.encode(thinking, forKey: .thinking) }
        case .tool(let result):
            try fields.encode(Role.tool, forKey: .role)
            try fields.encode(result, forKey: .result)
        }
    }
}

extension ToolResult: Codable {
    private enum Key: String, CodingKey {
        case callID, name, content, isError, isMistake
    }

    /// Reads the stored form.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        self.init(
            callID: try fields.decode(String.self, forKey: .callID),
            name: try fields.decode(String.self, forKey: .name),
            content: try fields.decode(String.self, forKey: .content),
            isError: try fields.decode(Bool.self, forKey: .isError),
            isMistake: try fields.decodeIfPresent(Bool.self, forKey: .isMistake) ?? false
        )
    }

    /// Writes the stored form.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        try fields.encode(callID, forKey: .callID)
        try fields.encode(name, forKey: .name)
        try fields.encode(content, forKey: .content)
        try fields.encode(isError, forKey: .isError)
        if isMistake { try fields.encode(isMistake, forKey: .isMistake) }
    }
}
