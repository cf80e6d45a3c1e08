import Agents
import Contract
import Logging
import RPC
import Synchronization
import Wire

/// Answers from the documentation: it searches, reads, answers, and shows only what a section supports.
struct DocumentationAgent: RunnableAgent {
    /// What it says when nothing supports an answer.
    static let unsupported = "The documentation does not answer this question."

    /// Sections looked at first, and the text of them a prompt may hold: small models have room for some 4,000 tokens, of
    /// which 10,000 characters are about 2,500.
    private static let hits = 8
    private static let promptCharacters = 10_000

    /// The provider's model; nil for the built-in extractive one.
    let model: (any Model)?
    let storage: RPCClient
    let logger: Logger

    var modelName: String { model?.name ?? ExtractiveModel.modelName }

    func answer(
        _ question: Question,
        emit: @escaping @Sendable (RunEvent.Body) throws -> Void
    ) async throws -> Outcome {
        let library = Library(storage: storage, emit: emit)
        let passages = try await library.search(question.text, limit: Self.hits)
        guard !passages.all.isEmpty else { return try unsupportedOutcome(emit) }
        let reply = Reply(passages: passages, emit: emit)
        let extractive = ExtractiveModel(question: question.text, passages: passages)
        var usage = Contract.Usage()
        do {
            let tools = model == nil ? [] : try library.tools(reading: reply)
            usage = try await run(model ?? extractive, tools, question, passages, reply)
        } catch let error as AgentError where error.code == .providerRefused && model != nil && reply.isEmpty {
            // Many small servers refuse a request that brings tools; the sections are in the prompt already.
            logger.debug("trying without tools", metadata: ["error": "\(error)"])
            usage = try await run(model ?? extractive, [], question, passages, reply)
        }
        if reply.isEmpty, model != nil {
            // The model said nothing that a section supports. What the sections themselves say is better than nothing.
            try await extractive.respond(to: ModelRequest(messages: [])) { event in
                if case .text(let text) = event { try reply.consume(text) }
            }
            try reply.finish()
        }
        if reply.isEmpty { return try unsupportedOutcome(emit, usage: usage) }
        return reply.outcome(model: modelName, usage: usage)
    }

    private func run(
        _ model: any Model,
        _ tools: [Tool],
        _ question: Question,
        _ passages: Passages,
        _ reply: Reply
    ) async throws -> Contract.Usage {
        let agent = Agent(
            model: model,
            instructions: Prompt.instructions(tools: !tools.isEmpty),
            tools: tools,
            options: ModelOptions(temperature: 0.2),
            logger: logger
        )
        let prompt = Prompt.question(question.text, passages: passages, characters: Self.promptCharacters)
        let result = try await agent.run(prompt) { event in
            if case .text(let text) = event { try reply.consume(text) }
        }
        try reply.finish()
        return Contract.Usage(
            requests: result.requests,
            inputTokens: result.usage.inputTokens,
            outputTokens: result.usage.outputTokens
        )
    }

    private func unsupportedOutcome(
        _ emit: (RunEvent.Body) throws -> Void,
        usage: Contract.Usage = Contract.Usage()
    ) throws -> Outcome {
        try emit(.text(Self.unsupported))
        return Outcome(state: .succeeded, answer: Self.unsupported, supported: false, model: modelName, usage: usage)
    }
}

/// The answer of one run as it comes into being: the model's text in, checked pieces out as events.
final class Reply: Sendable {
    private let checker: Mutex<AnswerChecker>
    private let emit: @Sendable (RunEvent.Body) throws -> Void

    init(passages: Passages, emit: @escaping @Sendable (RunEvent.Body) throws -> Void) {
        checker = Mutex(AnswerChecker(passages: passages))
        self.emit = emit
    }

    /// Nothing was shown yet.
    var isEmpty: Bool { checker.withLock { $0.answer.isEmpty } }

    /// The run has read further sections.
    func read(_ sections: [Section]) {
        checker.withLock { checker in
            for section in sections { checker.read(section) }
        }
    }

    func consume(_ text: String) throws {
        try show(checker.withLock { $0.consume(text) })
    }

    func finish() throws {
        try show(checker.withLock { $0.finish() })
    }

    func outcome(model: String, usage: Contract.Usage) -> Outcome {
        checker.withLock { checker in
            Outcome(
                state: .succeeded,
                answer: String(Substring(checker.answer).trimmingWhitespace()),
                citations: checker.citations,
                supported: true,
                model: model,
                usage: usage
            )
        }
    }

    private func show(_ pieces: [AnswerChecker.Piece]) throws {
        for piece in pieces {
            switch piece {
            case .text(let text): try emit(.text(text))
            case .citation(let citation): try emit(.citation(citation))
            }
        }
    }
}
