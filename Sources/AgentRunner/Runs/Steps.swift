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

    let run: RunID
    /// The agent that buys them: the rules about approvals of its tools count, besides those of the run's agent.
    private let agent: String
    private let runner: String
    private let storage: RPCClient
    private let trace: TraceParent
    private let lease: Awaited<Int>
    private let opening: Opening?
    private let endedSteps: EndedSteps
    /// Of one of several agents of the run, before the names of its steps; empty for the run's own.
    let prefix: String
    /// Those of the agent that asks this one, or consists of it; nil for the run's own.
    private let asker: Steps?
    /// The call by which it asks.
    private let askingCall: StepCall?
    let models = Mutex(0)
    private let parts = Mutex<[String: Int]>([:])
    /// Calls of tools that have not ended, and those of them that wait for a person.
    let callsUnderWay = Atomic(0)
    let callsWaiting = Atomic(0)
    private let hasWaiting = Atomic(false)
    /// The call of the model that was begun while the run is being opened.
    private let ahead = Mutex<BeginStep?>(nil)
    private let spent = Mutex(Spent())
    private let mayHaveHistory: Bool

    /// - Parameters:
    ///   - lease: the attempt, once the run is leased: nothing is bought before, but for a first call that goes ahead.
    ///   - opening: of a run that is not open yet.
    ///   - ended: where calls of models go that have ended.
    ///   - mayHaveHistory: whether it may belong to a conversation: whoever asks live does not.
    init(
        run: RunID,
        agent: String,
        runner: String,
        lease: Awaited<Int>,
        opening: Opening? = nil,
        ended: EndedSteps,
        mayHaveHistory: Bool,
        storage: RPCClient,
        trace: TraceParent,
        prefix: String = "",
        asker: Steps? = nil,
        askedBy askingCall: StepCall? = nil
    ) {
        self.asker = asker
        self.askingCall = askingCall
        self.mayHaveHistory = mayHaveHistory
        self.run = run
        self.agent = agent
        self.runner = runner
        self.lease = lease
        self.opening = opening
        endedSteps = ended
        self.storage = storage
        self.trace = trace
        self.prefix = prefix
    }

    /// What another agent buys within this run, which is told apart from what this one does at the same time.
    ///
    /// - Parameter call: The call by which it is asked. Of several at once, who comes first differs from attempt to attempt.
    func part(_ name: String, askedBy call: StepCall? = nil) throws -> Steps {
        let number = parts.withLock { parts in
            parts[name, default: 0] += 1
            return "\(parts[name, default: 0])"
        }
        let which = try call.map { String(try Digest.of($0.step).prefix(8)) } ?? number
        return Steps(
            run: run,
            agent: name,
            runner: runner,
            lease: lease,
            ended: endedSteps,
            mayHaveHistory: false,
            storage: storage,
            trace: trace,
            prefix: "\(prefix)\(name.prefix(24))#\(which)/",
            asker: self,
            askedBy: call
        )
    }

    /// The model, with each of its answers bought once.
    func recorded(_ model: any Model) -> any Model {
        RecordedModel(model: model, steps: self)
    }

    /// Whether a person has to approve a call before this can go on: one of these, or of an agent that is asked by them.
    var isAwaiting: Bool { hasWaiting.load(ordering: .relaxed) }

    /// A call waits for a person, and with it whoever has asked for it: whatever the asking call comes to, it is no answer.
    func beginWaiting() {
        hasWaiting.store(true, ordering: .relaxed)
        askingCall?.breakOff(AwaitsApproval())
        asker?.beginWaiting()
    }

    /// A model was asked, by this attempt or an earlier one whose answer is there: that counts for whoever asks this agent too.
    func spend(_ usage: Agents.Usage) {
        spend(Spent(requests: 1, usage: usage))
    }

    /// The same of several calls of models.
    func spend(_ more: Spent) {
        spent.withLock { $0 += more }
        askingCall?.spend(more)
        asker?.spend(more)
    }

    /// What its calls of models have used so far, and those of the agents it has asked, whatever came of them.
    var usage: Contract.Usage {
        let spent = spent.withLock { $0 }
        return Contract.Usage(spent.usage, requests: spent.requests)
    }

    /// The record of the run, for an attempt that is not its first.
    ///
    /// A run that is being opened has none; and to wait for its lease here would keep its first step from going along.
    func earlierAttempts() async throws -> (record: GetRun.Result, attempt: Int)? {
        guard opening == nil, case let attempt = try await lease.value(), attempt > 1 else { return nil }
        let record = try await Patience.repeating(for: Self.patience) {
            try await storage.perform(GetRun(run: run), traceparent: trace)
        }
        return (record, attempt)
    }

    /// What was said before in a conversation.
    struct Earlier {
        /// As a model is told it.
        var messages: [Agents.Message] = []
        /// Whether tools were called for it.
        var usedTools = false
    }

    /// What was said before in the conversation that the run belongs to. It is read from storage: a caller has no say in it.
    func earlier() async throws -> Earlier {
        guard mayHaveHistory else { return Earlier() }
        let history = try await Patience.repeating(for: Self.patience) {
            try await storage.perform(GetHistory(run: run), traceparent: trace)
        }
        let messages = history.turns.flatMap { turn -> [Agents.Message] in
            let answer = turn.answer ?? ""
            let said = turn.state == .succeeded ? answer : "\(answer)\n(This answer was interrupted.)"
            return [.user(turn.question), .assistant(text: said)]
        }
        return Earlier(messages: messages, usedTools: history.usedTools ?? false)
    }

    // MARK: What both kinds need

    func nextModelStep() -> String {
        models.withLock { number in
            number += 1
            return "\(prefix)\(number)"
        }
    }

    func begin(
        _ step: String,
        _ kind: BeginStep.Kind,
        _ name: String,
        asked: some Encodable,
        tokens: Int = 0,
        outputTokens: Int = 0,
        microdollars: Int? = nil,
        repeats: Bool,
        arguments: String? = nil,
        approval: BeginStep.Demand? = nil
    ) async throws -> BeginStep.Result {
        try await tellOfEnded()
        let digest = try Digest.of(asked)
        let isOffered =
            kind == .model
            && opening?.offer(OpenRun.Step(step: step, digest: digest, tokens: tokens, microdollars: microdollars))
                == true
        var begin = BeginStep(
            run: run,
            runner: runner,
            attempt: 1,
            step: step,
            kind: kind,
            name: name,
            digest: digest,
            tokens: tokens,
            outputTokens: outputTokens,
            microdollars: microdollars,
            repeats: repeats,
            arguments: arguments,
            agent: agent,
            approval: approval
        )
        if isOffered, opening?.goesAhead == true {
            ahead.withLock { $0 = begin }
            return BeginStep.Result(state: .begun)
        }
        begin.attempt = try await lease.value()
        if isOffered, opening?.hasBegun == true { return BeginStep.Result(state: .begun) }
        return try await perform(begin)
    }

    /// Storage knows of the call of the model that is about to end: it has begun with the run, or does so now where it went ahead
    /// and the run was opened otherwise than one could hope for.
    func catchUp() async throws {
        let waiting = ahead.withLock { ahead in
            defer { ahead = nil }
            return ahead
        }
        guard var begin = waiting else { return }
        begin.attempt = try await lease.value()
        // Nobody has asked for the run before, so there is no earlier answer that this could bring.
        if opening?.hasBegun != true { _ = try await perform(begin) }
    }

    /// A call of a model has ended well.
    func ended(_ step: String, _ answer: some Encodable, _ usage: Agents.Usage, model: String?) throws {
        endedSteps.add(try EndedStep(step, answer, usage, model: model))
    }

    /// Tells storage of calls of models that have ended, before anything else is bought; or since the run does not end here.
    func tellOfEnded() async throws {
        for step in endedSteps.take() { try await tell(step) }
    }

    func end(
        _ step: String,
        _ answer: (some Encodable)?,
        _ usage: Agents.Usage = Agents.Usage(),
        model: String? = nil
    ) async throws {
        try await tell(try EndedStep(step, answer, usage, model: model))
    }

    private func tell(_ step: EndedStep) async throws {
        let end = EndStep(
            run: run,
            runner: runner,
            attempt: try await lease.value(),
            step: step.step,
            answer: step.answer,
            inputTokens: step.inputTokens,
            cachedTokens: step.cachedTokens,
            outputTokens: step.outputTokens,
            microdollars: step.microdollars,
            model: step.model
        )
        _ = try await perform(end)
    }

    private func perform<Asked: Contract.Operation>(_ operation: Asked) async throws -> Asked.Result {
        do {
            return try await Patience.repeating(for: Self.patience) {
                try await storage.perform(operation, traceparent: trace)
            }
        } catch let error as ServiceError {
            throw Self.told(error)
        }
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
