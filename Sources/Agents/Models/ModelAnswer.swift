import Synchronization

/// One whole answer of a model.
public struct ModelAnswer: Sendable, Hashable, Codable {
    /// What it said.
    public var text: String
    /// The tools it asked for.
    public var toolCalls: [ToolCall]
    /// What it thought before.
    public var thinking: [Thinking]
    /// What it cost.
    public var usage: Usage
    /// Why it stopped.
    public var finishReason: FinishReason
    /// Which model it was, as its ``Model/name``; nil when the one that was asked does not say.
    public var model: String?

    /// An answer.
    public init(
        text: String = "",
        toolCalls: [ToolCall] = [],
        thinking: [Thinking] = [],
        usage: Usage = Usage(),
        finishReason: FinishReason = .stop,
        model: String? = nil
    ) {
        self.text = text
        self.toolCalls = toolCalls
        self.thinking = thinking
        self.usage = usage
        self.finishReason = finishReason
        self.model = model
    }

    /// Adds what a model says next.
    public mutating func add(_ event: ModelEvent) {
        switch event {
        case .model(let name): model = name
        case .text(let piece): text += piece
        case .thinking: break
        case .thought(let thought): thinking.append(thought)
        case .toolCall(let call): toolCalls.append(call)
        case .usage(let cost): usage += cost
        case .finish(let reason): finishReason = reason
        }
    }

    /// As it stands in a history.
    public var message: Message { .assistant(text: text, toolCalls: toolCalls, thinking: thinking) }
}

/// An answer on its way, shared with the model, which calls `emit` from tasks of its own choosing.
final class GatheredAnswer: Sendable {
    private let state = Mutex(ModelAnswer())

    var answer: ModelAnswer { state.withLock { $0 } }

    func add(_ event: ModelEvent) {
        state.withLock { $0.add(event) }
    }
}
