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
