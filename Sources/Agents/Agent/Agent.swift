public import Logging

/// A model with instructions, tools, an output and limits.
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
    /// What it answers with.
    public var output: AgentOutput<Output>
    /// How the model is to answer.
    public var options: ModelOptions
    /// Where a run ends at the latest.
    public var limits: AgentLimits
    /// What it shares with other agents, beside its own limits.
    public var budget: Budget?
    /// What stands around the calls of model and tools; nil to just make them. A journal belongs to one run: an agent is a
    /// value, so give it to a copy.
    public var journal: (any RunJournal)?
    /// Where runs are logged, at `debug` and below; never prompts, arguments or answers.
    public var logger: Logger

    /// An agent that answers with an output.
    public init(
        model: any Model,
        instructions: String = "",
        tools: [Tool] = [],
        output: AgentOutput<Output>,
        options: ModelOptions = ModelOptions(),
        limits: AgentLimits = AgentLimits(),
        budget: Budget? = nil,
        journal: (any RunJournal)? = nil,
        logger: Logger = Logger(label: "agents")
    ) {
        self.model = model
        self.instructions = instructions
        self.tools = tools
        self.output = output
        self.options = options
        self.limits = limits
        self.budget = budget
        self.journal = journal
        self.logger = logger
    }

    /// Puts the question to the model, calls the tools it asks for, and so on until it answers with an output.
    ///
    /// - Parameters:
    ///   - prompt: The question.
    ///   - images: What is shown with it.
    ///   - history: The conversation so far. What was broken off in it is mended first: ``History/repaired(_:)``.
    ///   - onEvent: Is told what happens, one event after the other; the run waits for it. What it throws ends the run.
    /// - Throws: ``AgentError``, or what `onEvent` threw.
    @discardableResult
    public func run(
        _ prompt: String,
        images: [Image] = [],
        history: [Message] = [],
        onEvent: @escaping @Sendable (AgentEvent<Output>) async throws -> Void = { _ in }
    ) async throws -> AgentResult<Output> {
        let run = AgentRun(agent: self, onEvent: onEvent)
        return try await run.run(run.start(History.repaired(history) + [.user(prompt, images: images)]))
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
        let run = AgentRun(agent: self, onEvent: onEvent)
        return try await run.run(run.start(history))
    }

    /// The events of a run, to be read with `for try await`. The run starts with the first event asked for and is never
    /// more than one event ahead of its reader; leaving the loop cancels it.
    public func stream(_ prompt: String, images: [Image] = [], history: [Message] = []) -> AgentEvents<Output> {
        AgentEvents { emit in _ = try await run(prompt, images: images, history: history, onEvent: emit) }
    }

    /// The steps of a run, to be taken one by one. Between two of them nothing runs, and the caller may look at the history,
    /// say something, or stop.
    public func iterate(
        _ prompt: String,
        images: [Image] = [],
        history: [Message] = [],
        onEvent: @escaping @Sendable (AgentEvent<Output>) async throws -> Void = { _ in }
    ) -> AgentSteps<Output> {
        AgentSteps(
            agent: self,
            history: History.repaired(history) + [.user(prompt, images: images)],
            onEvent: onEvent
        )
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
        budget: Budget? = nil,
        journal: (any RunJournal)? = nil,
        logger: Logger = Logger(label: "agents")
    ) {
        self.init(
            model: model,
            instructions: instructions,
            tools: tools,
            output: .text,
            options: options,
            limits: limits,
            budget: budget,
            journal: journal,
            logger: logger
        )
    }
}

extension Agent where Output: Decodable & SendableMetatype {
    /// An agent that answers with a type.
    ///
    /// - Throws: ``AgentError/Code/misconfigured`` when the type cannot be described.
    public init(
        model: any Model,
        instructions: String = "",
        tools: [Tool] = [],
        output: Output.Type,
        options: ModelOptions = ModelOptions(),
        limits: AgentLimits = AgentLimits(),
        budget: Budget? = nil,
        journal: (any RunJournal)? = nil,
        logger: Logger = Logger(label: "agents")
    ) throws(AgentError) {
        self.init(
            model: model,
            instructions: instructions,
            tools: tools,
            output: try AgentOutput(output),
            options: options,
            limits: limits,
            budget: budget,
            journal: journal,
            logger: logger
        )
    }
}
