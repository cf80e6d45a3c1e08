import Agents
import Contract
import Synchronization
import Wire

/// A model whose answers are bought once.
struct RecordedModel: Model {
    private final class Gathered: Sendable {
        let answer = Mutex(ModelAnswer())
    }

    /// What a model says unless it is told how much.
    private static let usualAnswerTokens = 1_000

    /// An answer that is likely to be the run's goes with its end into one transaction. Not what tools are called for, which have to find
    /// it stored, nor a part of the run, beside which others may go on for long; and no more than leaves room in the frame for the
    /// events that hold the same.
    private static let mostBytesWithTheEnd = 64 << 10

    let model: any Model
    let steps: Steps

    var name: String { model.name }
    var provider: String { model.provider }
    var providers: [String] { model.providers }
    var capabilities: ModelCapabilities { model.capabilities }
    var price: Price? { model.price }

    var callsAhead: Int { model.callsAhead }

    func check() throws(AgentError) { try model.check() }

    func respond(
        to request: ModelRequest,
        emit: @escaping @Sendable (ModelEvent) async throws -> Void
    ) async throws {
        // Before a step that takes its request from the budgets.
        try model.check()
        let step = steps.nextModelStep()
        if let answer = try await begin(step, request) { return try await say(answer, emit) }
        let gathered = Gathered()
        do {
            try await model.respond(to: request) { event in
                gathered.answer.withLock { $0.add(event) }
                try await emit(event)
            }
        } catch {
            await endFailed(step, gathered.answer.withLock { $0 }, of: request)
            throw error
        }
        try await end(step, gathered.answer.withLock { $0 })
    }

    // What is not the wait for the model itself is not inlined: frames would hold it for as long as the model thinks.

    /// The answer, where it was bought before.
    @inline(never)
    private func begin(_ step: String, _ request: ModelRequest) async throws -> ModelAnswer? {
        let estimate = Self.estimate(request)
        let begun = try await steps.begin(
            step,
            .model,
            model.name,
            asked: Asked(messages: request.messages, tools: request.tools.map(\.name)),
            tokens: estimate.inputTokens + estimate.outputTokens,
            outputTokens: estimate.outputTokens,
            microdollars: model.price?.microdollars(for: estimate),
            repeats: true
        )
        return try begun.answer?.decode(ModelAnswer.self)
    }

    /// What was paid for counts, and what was not needed goes back; then the failure, whatever comes of that.
    @inline(never)
    private func endFailed(_ step: String, _ answer: ModelAnswer, of request: ModelRequest) async {
        var usage = answer.usage
        if usage.totalTokens == 0, !answer.text.isEmpty {
            // Broken off before anybody said how much it was.
            usage.inputTokens = Self.estimate(request).inputTokens
            usage.outputTokens = answer.text.utf8.count / 4 + 1
            usage.estimated = true
        }
        usage.microdollars = usage.microdollars ?? model.price?.microdollars(for: usage)
        steps.spend(usage)
        guard !Task.isCancelled else { return }
        try? await steps.catchUp()
        try? await steps.end(step, ModelAnswer?.none, usage, model: answer.model)
    }

    @inline(never)
    private func end(_ step: String, _ answer: ModelAnswer) async throws {
        let usage = answer.usage
        steps.spend(usage)
        try await steps.catchUp()
        if steps.prefix.isEmpty, answer.toolCalls.isEmpty, answer.text.utf8.count <= Self.mostBytesWithTheEnd {
            try steps.ended(step, answer, usage, model: answer.model)
        } else {
            try await steps.end(step, answer, usage, model: answer.model)
        }
    }

    /// The tokens that are needed, before anybody has counted them.
    private static func estimate(_ request: ModelRequest) -> Agents.Usage {
        // About four bytes of text are a token.
        Agents.Usage(inputTokens: request.bytes / 4, outputTokens: request.options.maxTokens ?? usualAnswerTokens)
    }

    /// What was said before.
    @inline(never)
    private func say(_ answer: ModelAnswer, _ emit: @Sendable (ModelEvent) async throws -> Void) async throws {
        steps.spend(answer.usage)
        if let name = answer.model { try await emit(.model(name)) }
        if !answer.text.isEmpty { try await emit(.text(answer.text)) }
        for thought in answer.thinking { try await emit(.thought(thought)) }
        for call in answer.toolCalls { try await emit(.toolCall(call)) }
        // It was paid for once, as part of this run.
        try await emit(.usage(answer.usage))
        try await emit(.finish(answer.finishReason))
    }

    private struct Asked: Encodable {
        var messages: [Agents.Message]
        var tools: [String]
    }
}
