/// Something that continues a conversation: a provider's model, a script, a function.
///
/// A model is called with a place to put what it says and returns when it has said all. This form was chosen over a
/// returned sequence because a model then lives inside the caller's task: cancelling that task cancels the model, and a
/// slow reader holds the model back, with nothing running on the side.
public protocol Model: Sendable {
    /// What its provider calls it.
    var name: String { get }
    /// Who serves it; empty for a model that needs nobody.
    var provider: String { get }
    /// All who may be asked: more than one where models stand in for each other.
    var providers: [String] { get }
    /// What it can do.
    var capabilities: ModelCapabilities { get }
    /// What it costs; nil when nobody knows.
    var price: Price? { get }

    /// Throws the ``AgentError`` with which a request would fail at once, without being sent: a model that is left alone for a while. So
    /// whoever prepares or pays for a request need not do so in vain.
    func check() throws(AgentError)
    /// How many calls its provider answers before one that is made now has its turn (``CallLimit``); 0 where it has it at once.
    var callsAhead: Int { get }

    /// Answers the conversation in `request`.
    ///
    /// Text and thinking go to `emit` as they come; then, when all is said, thinking to be kept, the tool calls, the usage if
    /// known, and last ``ModelEvent/finish(_:)``. `emit` returns when the reader took the event, and throws what the reader
    /// throws, which is to be passed on as it is. Returns promptly when the task is cancelled.
    ///
    /// - Throws: ``AgentError``, `CancellationError`, or what `emit` threw.
    func respond(
        to request: ModelRequest,
        emit: @escaping @Sendable (ModelEvent) async throws -> Void
    ) async throws
}

extension Model {
    /// Nobody.
    public var provider: String { "" }
    /// The one, if there is one.
    public var providers: [String] { provider.isEmpty ? [] : [provider] }
    /// Everything most models can.
    public var capabilities: ModelCapabilities { ModelCapabilities() }
    /// Unknown.
    public var price: Price? { nil }
    /// It may be asked.
    public func check() throws(AgentError) {}
    /// None.
    public var callsAhead: Int { 0 }
    /// `provider:model`, as ``Providers`` takes it.
    public var qualifiedName: String { provider.isEmpty ? name : "\(provider):\(name)" }

    /// The whole answer to one request.
    public func answer(_ request: ModelRequest) async throws -> ModelAnswer {
        let gathered = GatheredAnswer()
        try await respond(to: request) { gathered.add($0) }
        return gathered.answer
    }
}

/// What a model says.
public enum ModelEvent: Sendable, Hashable {
    /// Which model answers, as its ``Model/name``: said by one that stands for several. The last one counts.
    case model(String)
    /// The next piece of its text.
    case text(String)
    /// The next piece of its thinking, to be shown. It is not part of the answer, and another model's may follow it when the
    /// first one fails before its first text.
    case thinking(String)
    /// Complete thinking, to be kept with the answer.
    case thought(Thinking)
    /// A complete wish to have a tool called.
    case toolCall(ToolCall)
    /// What this answer cost.
    case usage(Usage)
    /// The end of the answer.
    case finish(FinishReason)
}
