public import Logging

/// A model with instructions, tools and limits.
///
/// ```swift
/// let agent = Agent(model: model, instructions: "Answer in one sentence.", tools: [weather])
/// print(try await agent.run("How warm is it in Oslo?").output)
/// ```
///
/// An agent is a value without state: any number of runs may go on at the same time. A run lives inside the task that
/// called it; cancelling that task ends the run and its request to the provider.
public struct Agent<Output: Sendable>: Sendable {
    /// What answers.
    public var model: any Model
    /// What the model is told before everything else; may be empty.
    public var instructions: String
    /// What the model may call; names must differ.
    public var tools: [Tool]
    /// How the model is to answer.
    public var options: ModelOptions
    /// Where a run ends at the latest.
    public var limits: AgentLimits
    /// What stands around the calls of tools; nil to just call them.
    public var journal: (any ToolJournal)?
    /// Where runs are logged, at `debug` and below; never prompts, arguments or answers.
    public var logger: Logger
    /// The output from the text of the last answer.
    let output: @Sendable (String) throws(AgentError) -> Output

    /// Puts the question to the model, calls the tools it asks for, and so on until it answers.
    ///
    /// - Parameters:
    ///   - prompt: The question.
    ///   - history: The conversation so far. Tool calls left without a result in it are answered as interrupted.
    ///   - onEvent: Is told what happens, one event after the other; the run waits for it. What it throws ends the run.
    /// - Throws: ``AgentError``, or what `onEvent` threw.
    @discardableResult
    public func run(
        _ prompt: String,
        history: [Message] = [],
        onEvent: @escaping @Sendable (AgentEvent<Output>) async throws -> Void = { _ in }
    ) async throws -> AgentResult<Output> {
        let state = RunState(
            instructions: instructions,
            history: RunState.closingCalls(of: history) + [.user(prompt)],
            limits: limits
        )
        return try await AgentRun(agent: self, onEvent: onEvent).run(state)
    }

    /// Goes on where a run was broken off, given the messages it had (see ``AgentEvent/message(_:)``): tool calls without
    /// a result are called, a question without an answer is put to the model, an answer is given back as the output.
    ///
    /// Limits and usage count from here.
    ///
    /// - Throws: ``AgentError``, or what `onEvent` threw.
    @discardableResult
    public func resume(
        _ history: [Message],
        onEvent: @escaping @Sendable (AgentEvent<Output>) async throws -> Void = { _ in }
    ) async throws -> AgentResult<Output> {
        let state = RunState(instructions: instructions, history: history, limits: limits)
        return try await AgentRun(agent: self, onEvent: onEvent).run(state)
    }

    /// The events of a run, to be read with `for try await`. The run starts with the first event asked for and is never
    /// more than one event ahead of its reader; leaving the loop cancels it.
    public func stream(_ prompt: String, history: [Message] = []) -> AgentEvents<Output> {
        AgentEvents { emit in _ = try await run(prompt, history: history, onEvent: emit) }
    }
}

extension Agent where Output == String {
    /// An agent that answers in text.
    public init(
        model: any Model,
        instructions: String = "",
        tools: [Tool] = [],
        options: ModelOptions = ModelOptions(),
        limits: AgentLimits = AgentLimits(),
        journal: (any ToolJournal)? = nil,
        logger: Logger = Logger(label: "agents")
    ) {
        self.model = model
        self.instructions = instructions
        self.tools = tools
        self.options = options
        self.limits = limits
        self.journal = journal
        self.logger = logger
        self.output = { text throws(AgentError) in text }
    }
}
