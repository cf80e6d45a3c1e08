/// What happens in a run, in order.
public enum AgentEvent<Output: Sendable>: Sendable {
    /// The next piece of the model's text. Text before a tool call is the model thinking aloud; the last answer's text is
    /// the output.
    case text(String)
    /// The next piece of what the model thinks before it speaks, as far as its provider shows it.
    case thinking(String)
    /// A tool is being called.
    case toolCall(ToolCall)
    /// A tool answered; results come in the order they are ready.
    case toolResult(ToolResult)
    /// The output was wrong and went back to the model with this reason. Text shown before is no part of the output.
    case rejected(String)
    /// What one request to the model cost.
    case usage(Usage)
    /// A message was added to the history. Who keeps these can go on from the last one: ``Agent/resume(_:onEvent:)``.
    case message(Message)
    /// The end.
    case finished(AgentResult<Output>)
}

extension AgentEvent: Equatable where Output: Equatable {}

/// What a run came to.
public struct AgentResult<Output: Sendable>: Sendable {
    /// The answer.
    public var output: Output
    /// The conversation, the answer included: pass it to the next ``Agent/run(_:images:history:onEvent:)``.
    public var history: [Message]
    /// What all requests cost.
    public var usage: Usage
    /// How many requests were made to the model.
    public var requests: Int
    /// How many tools were called.
    public var toolCalls: Int
    /// Why the model stopped; ``FinishReason/length`` and ``FinishReason/contentFilter`` mean that text is missing.
    public var finishReason: FinishReason
    /// Which model gave the last answer, as its ``Model/name``: of a ``FallbackModel``, one of those behind it.
    public var model: String
}

extension AgentResult: Equatable where Output: Equatable {}
