/// Something that continues a conversation: a provider's model, a script, a function.
///
/// A model is called with a place to put what it says and returns when it has said all. This form was chosen over a
/// returned sequence because a model then lives inside the caller's task: cancelling that task cancels the model, and a
/// slow reader holds the model back, with nothing running on the side.
public protocol Model: Sendable {
    /// What people call it, and what providers expect.
    var name: String { get }

    /// Answers the conversation in `request`.
    ///
    /// Text goes to `emit` as it comes; tool calls complete, after the text; then the usage if known; last
    /// ``ModelEvent/finish(_:)``. `emit` returns when the reader took the event, and throws what the reader throws, which
    /// is to be passed on as it is. Returns promptly when the task is cancelled.
    ///
    /// - Throws: ``AgentError``, `CancellationError`, or what `emit` threw.
    func respond(
        to request: ModelRequest,
        emit: @escaping @Sendable (ModelEvent) async throws -> Void
    ) async throws
}

/// What a model is asked.
public struct ModelRequest: Sendable, Hashable {
    /// The conversation, the instructions as its first message.
    public var messages: [Message]
    /// The tools the model may ask for.
    public var tools: [ToolDefinition]
    /// How it is to answer.
    public var options: ModelOptions

    /// A request.
    public init(messages: [Message], tools: [ToolDefinition] = [], options: ModelOptions = ModelOptions()) {
        self.messages = messages
        self.tools = tools
        self.options = options
    }
}

/// How a model is to answer; what is `nil` is left to the provider.
public struct ModelOptions: Sendable, Hashable {
    /// 0 for the likeliest words; up to 2 at most providers.
    public var temperature: Double?
    /// The most tokens one answer may have.
    public var maxTokens: Int?

    /// Options.
    public init(temperature: Double? = nil, maxTokens: Int? = nil) {
        self.temperature = temperature
        self.maxTokens = maxTokens
    }
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

/// What a model says.
public enum ModelEvent: Sendable, Hashable {
    /// The next piece of its text.
    case text(String)
    /// A complete wish to have a tool called.
    case toolCall(ToolCall)
    /// What this answer cost.
    case usage(Usage)
    /// The end of the answer.
    case finish(FinishReason)
}
