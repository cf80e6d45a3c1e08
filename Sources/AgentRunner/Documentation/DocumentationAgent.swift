import Agents
import Contract
import Logging
import RPC
import Wire

/// Answers from the documentation: it searches, reads, answers, and shows only what a section supports.
struct DocumentationAgent: RunnableAgent {
    /// What it says when nothing supports an answer.
    static let unsupported = "The documentation does not answer this question."

    /// Sections looked at first. The wanted one was seldom behind these in trials, and reading them takes milliseconds.
    private static let hits = 16
    /// The text of sections a prompt may hold: small models have room for some 4,000 tokens, of which 10,000 characters are
    /// about 2,500.
    private static let promptCharacters = 10_000

    /// The provider's model; nil for the built-in extractive one.
    let model: (any Model)?
    let storage: RPCClient
    /// What it may spend together with others.
    var budget: Budget?
    let logger: Logger

    var description: String { "Answers from the documentation, with citations." }
    var modelName: String { model?.name ?? ExtractiveModel.modelName }
    var providers: [String] { model?.providers ?? [] }
    var callsAhead: Int { model?.callsAhead ?? 0 }

    func paying(from budget: Budget) -> any RunnableAgent {
        DocumentationAgent(model: model, storage: storage, budget: budget, logger: logger)
    }

    func answer(
        _ question: Question,
        steps: Steps?,
        trace: TraceParent,
        emit: @escaping @Sendable (RunEvent.Body) throws -> Void
    ) async throws -> Outcome {
        let library = Library(storage: storage, trace: trace, emit: emit)
        let history = try await steps?.earlier().messages ?? []
        let followUp = FollowUp(question.text, after: history)
        let model = self.model.map { steps?.recorded($0) ?? $0 }
        var (passages, usage) = try await search(followUp, history, model, library)
        let reply = Reply(passages: passages, emit: emit)
        var answered = modelName
        var isCutOff = false
        let extractive = ExtractiveModel(readings: followUp.readings, passages: passages)
        if let model {
            let said = try await ask(
                model,
                steps,
                question,
                history,
                library: library,
                passages: passages,
                reply: reply
            )
            usage += said.usage
            answered = said.model
            isCutOff = said.isCutOff
        }
        // Without a model, or when it said nothing that a section supports, what the sections say themselves is better than
        // nothing; but not when the model read them and says that they do not answer.
        if reply.isEmpty, !reply.saysUnsupported {
            answered = try await run(extractive, [], nil, question, [], passages, reply).model
            isCutOff = false
        }
        if reply.isEmpty {
            try emit(.text(Self.unsupported))
            return Outcome(
                state: .succeeded,
                answer: Self.unsupported,
                supported: false,
                model: answered,
                usage: usage
            )
        }
        var outcome = reply.outcome(model: answered, usage: usage)
        if isCutOff { outcome.cutOff = true }
        return outcome
    }

    /// What is found for the question; where it leans on what was said before, also for what the model makes of it. All at the same
    /// time, but that the model has to say first what it wants.
    private func search(
        _ followUp: FollowUp,
        _ history: [Agents.Message],
        _ model: (any Model)?,
        _ library: Library
    ) async throws -> (Passages, Contract.Usage) {
        async let own = library.search(followUp.whole, limit: Self.hits)
        guard followUp.leans, let model else { return (try await own, Contract.Usage()) }
        let writer = QueryWriter(model: model, budget: budget, logger: logger)
        let (queries, usage) = try await writer.queries(for: followUp.question, after: history)
        let others = try await library.search(queries, limit: Self.hits)
        return (Passages(of: others + [try await own]), usage)
    }

    private func ask(
        _ model: any Model,
        _ steps: Steps?,
        _ question: Question,
        _ history: [Agents.Message],
        library: Library,
        passages: Passages,
        reply: Reply
    ) async throws -> Said {
        do {
            return try await run(
                model,
                try library.tools(onRead: reply.read),
                steps,
                question,
                history,
                passages,
                reply
            )
        } catch let error as AgentError where error.code == .providerRefused && reply.isEmpty {
            // Many small servers refuse a request that brings tools; the sections are in the prompt already.
            logger.debug("trying without tools", metadata: ["error": "\(error)"])
        } catch let error as AgentError where error.code == .invalidAnswer && reply.isEmpty {
            logger.debug("the model said nothing", metadata: ["error": "\(error)"])
            return Said(usage: Contract.Usage(), model: model.name)
        }
        return try await run(model, [], steps, question, history, passages, reply)
    }

    private func run(
        _ model: any Model,
        _ tools: [Tool],
        _ steps: Steps?,
        _ question: Question,
        _ history: [Agents.Message],
        _ passages: Passages,
        _ reply: Reply
    ) async throws -> Said {
        let agent = Agent(
            model: model,
            instructions: Prompt.instructions(tools: !tools.isEmpty),
            tools: tools,
            budget: budget,
            journal: steps,
            logger: logger
        )
        let prompt = Prompt.question(question.text, passages: passages, characters: Self.promptCharacters)
        let result = try await agent.run(prompt, history: history) { event in
            switch event {
            case .text(let text): try reply.consume(text)
            // What a model says before it calls a tool is not the beginning of what it says afterwards.
            case .toolCall: try reply.finish()
            default: break
            }
        }
        try reply.finish()
        return Said(
            usage: Contract.Usage(result),
            model: result.model,
            isCutOff: result.finishReason == .length
        )
    }

    /// What an answer has cost, and which model gave it.
    private struct Said {
        var usage: Contract.Usage
        var model: String
        var isCutOff = false
    }
}

extension Contract.Usage {
    init(_ result: AgentResult<some Sendable>) {
        self.init(result.usage, requests: result.requests)
    }

    init(_ usage: Agents.Usage, requests: Int) {
        self.init(
            requests: requests,
            inputTokens: usage.inputTokens,
            outputTokens: usage.outputTokens,
            microdollars: usage.microdollars,
            estimated: usage.estimated
        )
    }
}
