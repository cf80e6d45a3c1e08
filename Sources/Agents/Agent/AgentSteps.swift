/// What one step of a run came to.
public enum AgentStep<Output: Sendable>: Sendable {
    /// The model answered, with text or tool calls.
    case answered(ModelAnswer)
    /// The tools it asked for answered.
    case called([ToolResult])
    /// Its output was wrong, and went back to it with this reason.
    case rejected(String)
    /// The end.
    case finished(AgentResult<Output>)
}

extension AgentStep: Equatable where Output: Equatable {}

/// The steps of one run. See ``Agent/iterate(_:images:history:onEvent:)``.
///
/// ```swift
/// func hurry(_ agent: Agent<String>) async throws {
///     var steps = agent.iterate("How warm is it in Oslo?")
///     while let step = try await steps.next() {
///         if case .called = step { steps.say("Be quick.") }
///     }
/// }
/// ```
///
/// Not at the top level of `main.swift`, whose variables belong to the main actor.
public struct AgentSteps<Output: Sendable>: AsyncSequence, AsyncIteratorProtocol, Sendable {
    /// What a step came to.
    public typealias Element = AgentStep<Output>
    /// The sequence throws ``AgentError``, or what `onEvent` threw.
    public typealias Failure = any Error

    private let agent: Agent<Output>
    private let onEvent: @Sendable (AgentEvent<Output>) async throws -> Void
    private let beginning: [Message]
    /// Nil before the first step, from which the run's time counts.
    private var run: AgentRun<Output>?
    private var state: RunState?
    private var hasEnded = false

    init(
        agent: Agent<Output>,
        history: [Message],
        onEvent: @escaping @Sendable (AgentEvent<Output>) async throws -> Void
    ) {
        self.agent = agent
        self.beginning = history
        self.onEvent = onEvent
    }

    /// The conversation so far.
    public var history: [Message] { state?.history ?? beginning }
    /// What it cost so far.
    public var usage: Usage { state?.usage ?? Usage() }
    /// Requests to the model so far.
    public var requests: Int { state?.requests ?? 0 }
    /// Tool calls so far.
    public var toolCalls: Int { state?.toolCalls ?? 0 }

    /// The steps of a run of their own.
    public func makeAsyncIterator() -> AgentSteps { self }

    /// Takes the next step; nil after ``AgentStep/finished(_:)``. After an error the run is over, and its history stays.
    public mutating func next() async throws -> AgentStep<Output>? {
        guard !hasEnded else { return nil }
        let run = run ?? AgentRun(agent: agent, onEvent: onEvent)
        let state = state ?? run.start(beginning)
        self.run = run
        self.state = state
        do {
            let next = try await run.next(state)
            self.state = next.state
            if case .finished = next.step { hasEnded = true }
            return next.step
        } catch {
            hasEnded = true
            throw error
        }
    }

    /// Says something to the model before its next answer. Calls that wait for a result are answered as interrupted.
    public mutating func say(_ text: String) {
        let message = Message.user(text)
        if state == nil { state = (run ?? AgentRun(agent: agent, onEvent: onEvent)).start(beginning) }
        state?.say(message)
    }
}
