import Agents
import Contract
import Synchronization
import Wire

extension Steps: RunJournal {
    func call(
        _ call: ToolCall,
        mayRepeat: Bool,
        _ perform: @Sendable () async throws -> ToolResult
    ) async throws -> ToolResult {
        try await self.call(call, mayRepeat: mayRepeat, approval: nil, perform)
    }

    /// The same, where a person has to approve the call though no rule may say so.
    func call(
        _ call: ToolCall,
        mayRepeat: Bool,
        approval: BeginStep.Demand?,
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
            arguments: call.arguments,
            approval: approval
        )
        switch begun.state {
        case .waiting: try await wait()
        case .denied:
            let content = "The call was not approved\(begun.reason.map { ": \($0)" } ?? ".") Go on without it."
            return ToolResult(callID: call.id, name: call.name, content: content, isError: true)
        case .interrupted:
            throw AgentError(
                .interrupted,
                "The tool \(call.name) was interrupted, must not be repeated, and what it did is not known: look, and ask once more."
            )
        case .answered:
            guard let answer = begun.answer else { throw AgentError(.invalidAnswer, "The stored step has no answer.") }
            // What it does to this run in the memory of this process is done again; the model hears what it heard before, so
            // that it goes on as it did.
            if mayRepeat { _ = try await StepCall(step, isAnswered: true).perform(perform) }
            let stored = try answer.decode(StoredResult.self)
            if let spent = stored.spent { spend(spent) }
            return stored.result
        case .begun: return try await make(StepCall(step, isAnswered: false), perform)
        }
    }

    private func make(
        _ call: StepCall,
        _ perform: @Sendable () async throws -> ToolResult
    ) async throws -> ToolResult {
        let result = try await call.perform(perform)
        switch call.brokenOff {
        case is AwaitsApproval: try await wait()
        case let error?: throw error
        case nil: break
        }
        try await end(call.step, StoredResult(result: result, spent: call.spent))
        return result
    }

    /// What the model asked for beside a call that waits for a person is finished first, and what is only about to begin gets its
    /// moment: were it broken off, nobody would know what it did.
    private func wait() async throws -> Never {
        beginWaiting()
        callsWaiting.wrappingAdd(1, ordering: .relaxed)
        repeat {
            try await Task.sleep(for: .milliseconds(20))
        } while callsUnderWay.load(ordering: .relaxed) > callsWaiting.load(ordering: .relaxed)
        throw AwaitsApproval()
    }
}

/// A call of a tool that is being made, as the tool itself sees it: one that asks another agent cannot come to an end before that
/// has, and what a tool throws is otherwise an answer for the model.
final class StepCall: Sendable {
    /// That of the tool that is at work in this task. A tool that is left to itself after its time keeps its own.
    @TaskLocal static var current: StepCall?

    /// The name of its step.
    let step: String
    /// Whether it has been answered before, and is only made again for what it does in this process.
    let isAnswered: Bool
    private let error = Mutex<(any Error)?>(nil)
    private let spending = Mutex(Spent())

    init(_ step: String, isAnswered: Bool) {
        self.step = step
        self.isAnswered = isAnswered
    }

    /// Why the call has come to no answer, and the run cannot go on now.
    var brokenOff: (any Error)? { error.withLock { $0 } }

    /// The run cannot go on, whatever the tool answers with.
    func breakOff(_ error: any Error) {
        self.error.withLock { $0 = error }
    }

    /// What agents that are asked by it have used so far; nil where none was.
    var spent: Spent? {
        let spent = spending.withLock { $0 }
        return spent.requests > 0 ? spent : nil
    }

    /// An agent that is asked by it has asked its model.
    func spend(_ more: Spent) {
        spending.withLock { $0 += more }
    }

    fileprivate func perform(_ body: @Sendable () async throws -> ToolResult) async throws -> ToolResult {
        try await Self.$current.withValue(self) { try await body() }
    }
}

/// A person has to approve a call of a tool: the run goes on when they have decided, here or elsewhere.
struct AwaitsApproval: Error {}

extension RunnableAgent {
    /// Answers; throws `AwaitsApproval` where a call waits for a person, whatever the agent makes of that: agents tell of errors in
    /// words of their own, and some answer without what has failed. Says also where another model has answered than the agent's, and
    /// what was used, also by agents that it has asked.
    func answerUnlessAwaiting(
        _ question: Question,
        steps: Steps?,
        trace: TraceParent,
        emit: @escaping @Sendable (RunEvent.Body) throws -> Void
    ) async throws -> Outcome {
        do {
            var outcome = try await answer(question, steps: steps, trace: trace, emit: emit)
            if outcome.model != modelName { outcome.insteadOf = modelName }
            if let steps { outcome.usage = steps.usage }
            guard steps?.isAwaiting == true else { return outcome }
        } catch {
            guard steps?.isAwaiting == true else { throw error }
            try Task.checkCancellation()
        }
        throw AwaitsApproval()
    }
}
