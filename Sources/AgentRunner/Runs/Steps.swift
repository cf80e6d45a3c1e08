import Agents
import Contract
import FoundationEssentials
import RPC
import Synchronization
import Wire

/// What a run buys: each call of a model and of a tool is begun in storage, which checks the budgets, and ended there with its
/// answer. A run that goes on after its runner was lost gets the answers it has bought already.
final class Steps: Sendable {
    /// How long storage may be away in the middle of a run.
    private static let patience = Duration.seconds(30)
    /// What a model says unless it is told how much.
    private static let usualAnswerTokens = 1_000

    private let run: RunID
    private let runner: String
    private let storage: RPCClient
    private let trace: TraceParent
    private let lease: Awaited<Int>
    /// Of one of several agents of the run, before the names of its steps; empty for the run's own.
    private let prefix: String
    /// The run's own, if these are another agent's.
    private let whole: Steps?
    private let models = Mutex(0)
    private let parts = Mutex<[String: Int]>([:])
    /// Calls of tools that have not ended, and those of them that wait for a person.
    private let callsUnderWay = Atomic(0)
    private let callsWaiting = Atomic(0)
    private let mayHaveHistory: Bool

    /// - Parameters:
    ///   - lease: the attempt, once the run is leased: nothing is bought before.
    ///   - mayHaveHistory: whether it may belong to a conversation: whoever asks live does not.
    init(
        run: RunID,
        runner: String,
        lease: Awaited<Int>,
        mayHaveHistory: Bool,
        storage: RPCClient,
        trace: TraceParent,
        prefix: String = "",
        of whole: Steps? = nil
    ) {
        self.whole = whole
        self.mayHaveHistory = mayHaveHistory
        self.run = run
        self.runner = runner
        self.lease = lease
        self.storage = storage
        self.trace = trace
        self.prefix = prefix
    }

    /// What another agent buys within this run, which is told apart from what this one does at the same time.
    func part(_ name: String) -> Steps {
        let number = parts.withLock { parts in
            parts[name, default: 0] += 1
            return parts[name, default: 0]
        }
        return Steps(
            run: run,
            runner: runner,
            lease: lease,
            mayHaveHistory: false,
            storage: storage,
            trace: trace,
            prefix: "\(prefix)\(name.prefix(24))#\(number)/",
            of: whole ?? self
        )
    }

    /// The model, with each of its answers bought once.
    func recorded(_ model: any Model) -> any Model {
        RecordedModel(model: model, steps: self)
    }

    /// Whether a person has to approve a call before the run can go on.
    var isAwaiting: Bool { callsWaiting.load(ordering: .relaxed) > 0 }

    /// What was said before in the conversation that the run belongs to, as a model is told it. It is read from storage: a caller
    /// has no say in it.
    func history() async throws -> [Agents.Message] {
        guard mayHaveHistory else { return [] }
        let history = try await Patience.repeating(for: Self.patience) {
            try await storage.perform(GetHistory(run: run), traceparent: trace)
        }
        return history.turns.flatMap { turn -> [Agents.Message] in
            let answer = turn.answer ?? ""
            let said = turn.state == .succeeded ? answer : "\(answer)\n(This answer was interrupted.)"
            return [.user(turn.question), .assistant(text: said)]
        }
    }

    // MARK: What both kinds need

    fileprivate func nextModelStep() -> String {
        models.withLock { number in
            number += 1
            return "\(prefix)\(number)"
        }
    }

    fileprivate func begin(
        _ step: String,
        _ kind: BeginStep.Kind,
        _ name: String,
        asked: some Encodable,
        tokens: Int = 0,
        repeats: Bool,
        arguments: String? = nil
    ) async throws -> BeginStep.Result {
        let begin = BeginStep(
            run: run,
            runner: runner,
            attempt: try await lease.value(),
            step: step,
            kind: kind,
            name: name,
            digest: try Digest.of(asked),
            tokens: tokens,
            repeats: repeats,
            arguments: arguments
        )
        do {
            return try await Patience.repeating(for: Self.patience) {
                try await storage.perform(begin, traceparent: trace)
            }
        } catch let error as ServiceError {
            throw Self.told(error)
        }
    }

    fileprivate func end(_ step: String, _ answer: (some Encodable)?, _ usage: Agents.Usage = Agents.Usage())
        async throws
    {
        let end = EndStep(
            run: run,
            runner: runner,
            attempt: try await lease.value(),
            step: step,
            answer: try answer.map { try JSON(encoding: $0) },
            inputTokens: usage.inputTokens,
            cachedTokens: usage.cachedInputTokens,
            outputTokens: usage.outputTokens
        )
        do {
            _ = try await Patience.repeating(for: Self.patience) { try await storage.perform(end, traceparent: trace) }
        } catch let error as ServiceError {
            throw Self.told(error)
        }
    }

    fileprivate static func estimate(_ request: ModelRequest) -> Int {
        // About four bytes of text are a token.
        let bytes = request.messages.reduce(0) { $0 + $1.bytes }
        return bytes / 4 + (request.options.maxTokens ?? usualAnswerTokens)
    }

    /// As an error of the agent: only such ones reach the reader with their words.
    private static func told(_ error: ServiceError) -> AgentError {
        switch error.code {
        case .resourceExhausted where error.retry == .no: AgentError(.limitReached, error.message)
        case .failedPrecondition, .cancelled: AgentError(.cancelled, error.message)
        case .invalidArgument, .notFound: AgentError(.misconfigured, error.message)
        default: AgentError(.providerUnavailable, error.message)
        }
    }
}

extension Steps: RunJournal {
    func call(
        _ call: ToolCall,
        mayRepeat: Bool,
        _ perform: @Sendable () async throws -> ToolResult
    ) async throws -> ToolResult {
        callsUnderWay.wrappingAdd(1, ordering: .relaxed)
        defer { callsUnderWay.wrappingSubtract(1, ordering: .relaxed) }
        // Ids are told apart within one answer of the model, which has the number of the last step.
        let step = "\(prefix)\(models.withLock { $0 })/\(call.id.prefix(64))"
        let begun = try await begin(
            step,
            .tool,
            call.name,
            asked: call,
            repeats: mayRepeat,
            arguments: call.arguments
        )
        switch begun.state {
        case .waiting:
            try await letOthersEnd()
            throw AwaitsApproval()
        case .denied:
            let reason = begun.reason.map { ": \($0)" } ?? "."
            let content = "The call was not approved\(reason) Go on without it."
            return ToolResult(callID: call.id, name: call.name, content: content, isError: true)
        case .interrupted:
            throw AgentError(
                .interrupted,
                "The tool \(call.name) was interrupted, must not be repeated, and what it did is not known: look, and ask once more."
            )
        case .answered:
            // What it does to this run in the memory of this process is done again; the model hears what it heard before, so
            // that it goes on as it did.
            if mayRepeat { _ = try await perform() }
            guard let answer = begun.answer else { throw AgentError(.invalidAnswer, "The stored step has no answer.") }
            return try answer.decode(ToolResult.self)
        case .begun:
            let result = try await perform()
            try await end(step, result)
            return result
        }
    }

    /// What the model asked for beside a call that waits for a person is finished first, and what is only about to begin gets its
    /// moment: were it broken off, nobody would know what it did.
    private func letOthersEnd() async throws {
        callsWaiting.wrappingAdd(1, ordering: .relaxed)
        whole?.callsWaiting.wrappingAdd(1, ordering: .relaxed)
        repeat {
            try await Task.sleep(for: .milliseconds(20))
        } while callsUnderWay.load(ordering: .relaxed) > callsWaiting.load(ordering: .relaxed)
    }
}

/// A person has to approve a call of a tool: the run goes on when they have decided, here or elsewhere.
struct AwaitsApproval: Error {}

/// A model whose answers are bought once.
private struct RecordedModel: Model {
    private final class Gathered: Sendable {
        let answer = Mutex(ModelAnswer())
    }

    let model: any Model
    let steps: Steps

    var name: String { model.name }
    var provider: String { model.provider }
    var capabilities: ModelCapabilities { model.capabilities }

    func respond(
        to request: ModelRequest,
        emit: @escaping @Sendable (ModelEvent) async throws -> Void
    ) async throws {
        let step = steps.nextModelStep()
        let tools = request.tools.map(\.name)
        let begun = try await steps.begin(
            step,
            .model,
            model.name,
            asked: Asked(messages: request.messages, tools: tools),
            tokens: Steps.estimate(request),
            repeats: true
        )
        if let answer = begun.answer { return try await say(try answer.decode(ModelAnswer.self), emit) }
        let gathered = Gathered()
        do {
            try await model.respond(to: request) { event in
                gathered.answer.withLock { $0.add(event) }
                try await emit(event)
            }
        } catch {
            // What was paid for counts, and what was not needed goes back; then the failure, whatever comes of that.
            let usage = gathered.answer.withLock(\.usage)
            if !Task.isCancelled { try? await steps.end(step, ModelAnswer?.none, usage) }
            throw error
        }
        var answer = gathered.answer.withLock { $0 }
        let usage = answer.usage
        // Saying it once more costs nothing.
        answer.usage = Agents.Usage()
        try await steps.end(step, answer, usage)
    }

    /// What was said before.
    private func say(_ answer: ModelAnswer, _ emit: @Sendable (ModelEvent) async throws -> Void) async throws {
        if let name = answer.model { try await emit(.model(name)) }
        if !answer.text.isEmpty { try await emit(.text(answer.text)) }
        for thought in answer.thinking { try await emit(.thought(thought)) }
        for call in answer.toolCalls { try await emit(.toolCall(call)) }
        try await emit(.finish(answer.finishReason))
    }

    private struct Asked: Encodable {
        var messages: [Agents.Message]
        var tools: [String]
    }
}

extension Agents.Message {
    /// About what it takes.
    fileprivate var bytes: Int {
        switch self {
        case .system(let text), .user(let text, _): text.utf8.count
        case .assistant(let text, let calls, _): text.utf8.count + calls.reduce(0) { $0 + $1.arguments.utf8.count }
        case .tool(let result): result.content.utf8.count
        }
    }
}
