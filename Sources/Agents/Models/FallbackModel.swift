import Synchronization

/// Several models as one: the first is asked, and when it fails before anything of its answer was seen, the next.
///
/// ```swift
/// let model = FallbackModel(claude, [gpt, local])
/// ```
///
/// It falls back on errors, on empty answers and on withheld ones, also while an answer is streamed, as long as no text of it was
/// given on. With a judge of your own answers are held back until they are judged, so that the reader never sees a rejected one.
/// What was paid for an answer that is not used is part of the usage.
public struct FallbackModel: Model {
    private let models: [any Model]
    private let goesOn: @Sendable (AgentError) -> Bool
    private let accepts: (@Sendable (ModelAnswer) -> Bool)?

    /// - Parameters:
    ///   - model: The one to be asked first.
    ///   - others: The ones to be asked after it, in this order.
    ///   - error: Whether to ask the next one after this error; by default after all but a cancellation.
    ///   - accepts: Whether an answer will do. The answer of the last model is given in any case.
    public init(
        _ model: any Model,
        _ others: [any Model],
        after error: @escaping @Sendable (AgentError) -> Bool = { $0.code != .cancelled },
        accepting accepts: (@Sendable (ModelAnswer) -> Bool)? = nil
    ) {
        self.models = [model] + others
        self.goesOn = error
        self.accepts = accepts
    }

    /// The first model's.
    public var name: String { models[0].name }
    /// The first model's.
    public var provider: String { models[0].provider }
    /// All models', in their order.
    public var providers: [String] { models.flatMap(\.providers) }
    /// The dearest's, token for token; nil when one of them is not known.
    public var price: Price? {
        let prices = models.map(\.price)
        guard !prices.contains(nil) else { return nil }
        return prices.compactMap(\.self).max { $0.output < $1.output }
    }
    /// What all of them can do, so that each can answer what one is asked.
    public var capabilities: ModelCapabilities {
        models.dropFirst().reduce(models[0].capabilities) { $0.common(with: $1.capabilities) }
    }

    /// Throws the last one's error where none of them may be asked.
    public func check() throws(AgentError) {
        var refusal: AgentError?
        for model in models {
            do throws(AgentError) { return try model.check() } catch { refusal = error }
        }
        if let refusal { throw refusal }
    }

    /// The first model's.
    public var callsAhead: Int { models[0].callsAhead }

    /// Asks one model after the other.
    public func respond(
        to request: ModelRequest,
        emit: @escaping @Sendable (ModelEvent) async throws -> Void
    ) async throws {
        for model in models.dropLast() {
            let attempt = Attempt(holdsText: accepts != nil, emit: emit)
            do {
                try await attempt.take(.model(model.name))
                try await model.respond(to: request) { try await attempt.take($0) }
                if attempt.isUsed || isUsable(attempt.answer) { return try await attempt.release() }
            } catch let reader as Attempt.ReaderError {
                throw reader.error
            } catch {
                try Task.checkCancellation()
                guard !attempt.isUsed, goesOn(AgentError(of: error)) else { throw error }
            }
        }
        let last = models[models.count - 1]
        try await emit(.model(last.name))
        try await last.respond(to: request, emit: emit)
    }

    private func isUsable(_ answer: ModelAnswer) -> Bool {
        guard !answer.text.isEmpty || !answer.toolCalls.isEmpty else { return false }
        if answer.finishReason == .contentFilter { return false }
        return accepts?(answer) ?? true
    }
}

/// What one model says, held back as far as it binds.
private final class Attempt: Sendable {
    /// What the reader threw, on its way out through the model.
    struct ReaderError: Error {
        let error: any Error
    }

    private struct State {
        var answer = ModelAnswer()
        var held: [ModelEvent] = []
        var isUsed = false
    }

    private let state = Mutex(State())
    private let holdsText: Bool
    private let emit: @Sendable (ModelEvent) async throws -> Void

    init(holdsText: Bool, emit: @escaping @Sendable (ModelEvent) async throws -> Void) {
        self.holdsText = holdsText
        self.emit = emit
    }

    var answer: ModelAnswer { state.withLock { $0.answer } }
    /// Whether the reader saw something of the answer, so that it cannot be taken back.
    var isUsed: Bool { state.withLock { $0.isUsed } }

    /// Thinking is shown, and what was paid is told, in any case. Text binds; the rest waits for the end.
    func take(_ event: ModelEvent) async throws {
        let isPassed = state.withLock { state in
            state.answer.add(event)
            switch event {
            case .thinking, .usage: return true
            case .text(let piece) where !holdsText && !piece.isEmpty: state.isUsed = true
            case .model, .text, .thought, .toolCall, .finish: break
            }
            if !state.isUsed { state.held.append(event) }
            return state.isUsed
        }
        if isPassed { try await give(event) }
    }

    func release() async throws {
        let held = state.withLock { state in
            defer { state.held = [] }
            state.isUsed = true
            return state.held
        }
        do {
            for event in held { try await give(event) }
        } catch let reader as ReaderError {
            throw reader.error
        }
    }

    private func give(_ event: ModelEvent) async throws {
        do { try await emit(event) } catch { throw ReaderError(error: error) }
    }
}
