import Synchronization

/// A model that plays a script, one turn a request, and keeps the requests it got: for tests of agents without a provider.
///
/// ```swift
/// let model = ScriptedModel(
///     .calls(ToolCall(id: "1", name: "weather", arguments: #"{"city":"Oslo"}"#)),
///     .says("21 °C.")
/// )
/// ```
public final class ScriptedModel: Model {
    /// What the model does in answer to one request.
    public struct Turn: Sendable {
        let events: [ModelEvent]
        let error: AgentError?

        /// These events, then the end or an error.
        public init(_ events: [ModelEvent], error: AgentError? = nil) {
            self.events = events
            self.error = error
        }

        /// Answers with text, in the given pieces.
        public static func says(_ pieces: String...) -> Turn {
            Turn(pieces.map(ModelEvent.text) + [.finish(.stop)])
        }

        /// Asks for tools.
        public static func calls(_ calls: ToolCall...) -> Turn {
            Turn(calls.map(ModelEvent.toolCall) + [.finish(.toolCalls)])
        }

        /// Fails.
        public static func fails(_ error: AgentError) -> Turn {
            Turn([], error: error)
        }
    }

    /// What people call it.
    public let name: String
    /// What it can do.
    public let capabilities: ModelCapabilities
    private let state: Mutex<State>

    private struct State {
        var turns: ArraySlice<Turn>
        var requests: [ModelRequest] = []
    }

    /// A model that plays `turns` in order. A request after the last is an ``AgentError/Code/invalidAnswer``.
    public convenience init(
        name: String = "scripted",
        capabilities: ModelCapabilities = ModelCapabilities(),
        _ turns: Turn...
    ) {
        self.init(name: name, capabilities: capabilities, turns)
    }

    /// A model that plays `turns` in order. A request after the last is an ``AgentError/Code/invalidAnswer``.
    public init(
        name: String = "scripted",
        capabilities: ModelCapabilities = ModelCapabilities(),
        _ turns: [Turn]
    ) {
        self.name = name
        self.capabilities = capabilities
        self.state = Mutex(State(turns: turns[...]))
    }

    /// The requests so far.
    public var requests: [ModelRequest] { state.withLock { $0.requests } }

    /// Plays the next turn.
    public func respond(
        to request: ModelRequest,
        emit: @escaping @Sendable (ModelEvent) async throws -> Void
    ) async throws {
        let turn = state.withLock { state in
            state.requests.append(request)
            return state.turns.popFirst()
        }
        guard let turn else { throw AgentError(.invalidAnswer, "The script has no turn left.") }
        for event in turn.events {
            try Task.checkCancellation()
            try await emit(event)
        }
        if let error = turn.error { throw error }
    }
}
