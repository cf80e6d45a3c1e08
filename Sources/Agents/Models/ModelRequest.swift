/// What a model is asked.
public struct ModelRequest: Sendable, Hashable {
    /// The conversation, the instructions as its first message.
    public var messages: [Message]
    /// The tools the model may ask for.
    public var tools: [ToolDefinition]
    /// Whether it may or must ask for one.
    public var toolChoice: ToolChoice
    /// What its text is to be.
    public var format: AnswerFormat
    /// How it is to answer.
    public var options: ModelOptions

    /// A request.
    public init(
        messages: [Message],
        tools: [ToolDefinition] = [],
        toolChoice: ToolChoice = .automatic,
        format: AnswerFormat = .text,
        options: ModelOptions = ModelOptions()
    ) {
        self.messages = messages
        self.tools = tools
        self.toolChoice = toolChoice
        self.format = format
        self.options = options
    }
}

/// Whether a model asks for tools.
public enum ToolChoice: Sendable, Hashable {
    /// As it thinks best.
    case automatic
    /// It has to ask for one at least, if it can be made to (``ModelCapabilities/requiredTools``).
    case required
    /// It must not, though it sees them.
    case forbidden
}

/// What a model's text is to be. Models that cannot be held to it are only told.
public enum AnswerFormat: Sendable, Hashable {
    /// Text.
    case text
    /// One JSON object.
    case json
    /// One JSON object that matches the schema, held to it by the provider.
    case schema(name: String, JSONValue)
}

/// How a model is to answer; what is `nil` is left to the provider, and what a model does not take it is not sent
/// (``ModelCapabilities``).
public struct ModelOptions: Sendable, Hashable, Codable {
    /// 0 for the likeliest words; up to 2 at most providers.
    public var temperature: Double?
    /// Of the likeliest words together, how likely those are that it chooses from.
    public var topP: Double?
    /// The most tokens one answer may have.
    public var maxTokens: Int?
    /// It stops before it writes one of these.
    public var stop: [String]
    /// How hard it is to think before it answers.
    public var thinking: ThinkingEffort?
    /// Whether it may ask for several tools at the same time.
    public var parallelToolCalls: Bool?
    /// Makes providers that can answer the same request the same way again.
    public var seed: Int?
    /// Whether the provider is to remember the beginning of the conversation, which makes the next request cheaper. Only
    /// those are told that do not do it by themselves.
    public var promptCache: Bool

    /// Options.
    public init(
        temperature: Double? = nil,
        topP: Double? = nil,
        maxTokens: Int? = nil,
        stop: [String] = [],
        thinking: ThinkingEffort? = nil,
        parallelToolCalls: Bool? = nil,
        seed: Int? = nil,
        promptCache: Bool = true
    ) {
        self.temperature = temperature
        self.topP = topP
        self.maxTokens = maxTokens
        self.stop = stop
        self.thinking = thinking
        self.parallelToolCalls = parallelToolCalls
        self.seed = seed
        self.promptCache = promptCache
    }
}

/// How hard a model thinks before it answers.
public enum ThinkingEffort: String, Sendable, Hashable, Codable, CaseIterable {
    /// Not at all, or as little as it can.
    case off
    /// A little.
    case low
    /// As the provider usually has it.
    case medium
    /// Much.
    case high
}

/// What a model is told of a tool.
public struct ToolDefinition: Sendable, Hashable {
    /// The ``Tool/name``.
    public var name: String
    /// When and how to use it.
    public var description: String
    /// The JSON Schema of its arguments.
    public var parameters: JSONValue

    /// A definition.
    public init(name: String, description: String, parameters: JSONValue) {
        self.name = name
        self.description = description
        self.parameters = parameters
    }
}

extension ModelRequest {
    /// About what it takes, tools and a schema included: four of them are a token.
    package var bytes: Int {
        let told = tools.reduce(messages.reduce(0) { $0 + $1.bytes }) {
            $0 + $1.name.utf8.count + $1.description.utf8.count + $1.parameters.text.utf8.count
        }
        guard case .schema(_, let schema) = format else { return told }
        return told + schema.text.utf8.count
    }
}
