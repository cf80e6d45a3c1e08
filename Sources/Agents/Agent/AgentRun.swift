import Logging
import Synchronization

/// Shared with the model, which calls `emit` from tasks of its own choosing.
private final class GatheredAnswer: Sendable {
    let answer = Mutex(ModelAnswer())
}

/// One run: does what ``RunState`` says and tells what happens.
struct AgentRun<Output: Sendable>: Sendable {
    let agent: Agent<Output>
    let onEvent: @Sendable (AgentEvent<Output>) async throws -> Void

    /// What the reader of the events threw, on its way out through the model.
    private struct ReaderError: Error {
        let error: any Error
    }

    func run(_ state: RunState) async throws -> AgentResult<Output> {
        do {
            try checkTools()
            return try await withinWallClock { try await steps(from: state) }
        } catch let reader as ReaderError {
            throw reader.error
        } catch {
            throw described(error)
        }
    }

    private func steps(from start: RunState) async throws -> AgentResult<Output> {
        var state = start
        while true {
            try Task.checkCancellation()
            switch try state.next() {
            case .ask(let messages):
                let message = state.answered(try await ask(messages))
                try await emit(.message(message))
            case .call(let calls):
                for message in state.called(try await call(calls)) { try await emit(.message(message)) }
            case .finish(let text):
                let result = AgentResult(
                    output: try agent.output(text),
                    history: state.history,
                    usage: state.usage,
                    requests: state.requests,
                    toolCalls: state.toolCalls,
                    finishReason: state.finishReason
                )
                try await emit(.finished(result))
                return result
            }
        }
    }

    private func ask(_ messages: [Message]) async throws -> ModelAnswer {
        let gathered = GatheredAnswer()
        let request = ModelRequest(messages: messages, tools: agent.tools.map(\.definition), options: agent.options)
        agent.logger.debug("asking the model", metadata: ["model": "\(agent.model.name)"])
        try await agent.model.respond(to: request) { event in
            gathered.answer.withLock { $0.add(event) }
            switch event {
            case .text(let piece): try await emit(.text(piece))
            case .usage(let usage): try await emit(.usage(usage))
            case .toolCall, .finish: break
            }
        }
        // A model that returns early when cancelled has not answered.
        try Task.checkCancellation()
        return gathered.answer.withLock { $0 }
    }

    /// All calls of one answer at the same time; ``AgentLimits/toolCalls`` bounds how many that are.
    private func call(_ calls: [ToolCall]) async throws -> [ToolResult] {
        try await withThrowingTaskGroup(of: (Int, ToolResult).self) { group in
            for (index, call) in calls.enumerated() {
                try await emit(.toolCall(call))
                group.addTask { (index, try await remembered(call)) }
            }
            var results: [(Int, ToolResult)] = []
            for try await (index, result) in group {
                try await emit(.toolResult(result))
                results.append((index, result))
            }
            return results.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private func remembered(_ call: ToolCall) async throws -> ToolResult {
        guard let journal = agent.journal else { return try await perform(call) }
        let mayRepeat = agent.tools.first { $0.name == call.name }?.mayRepeat ?? true
        return try await journal.call(call, mayRepeat: mayRepeat) { try await perform(call) }
    }

    /// Whatever a tool does becomes a result the model can go on with. Throws only when the run itself is cancelled.
    private func perform(_ call: ToolCall) async throws -> ToolResult {
        func result(_ content: String, isError: Bool) -> ToolResult {
            ToolResult(callID: call.id, name: call.name, content: content, isError: isError)
        }
        guard let tool = agent.tools.first(where: { $0.name == call.name }) else {
            return result("There is no tool of this name.", isError: true)
        }
        do {
            guard let content = try await tool.answer(call.arguments) else {
                agent.logger.debug("a tool took too long", metadata: ["tool": "\(tool.name)"])
                return result("The tool did not answer in time.", isError: true)
            }
            let bytes = content.utf8.count
            guard bytes <= agent.limits.toolResultBytes else {
                return result(
                    "The result is too long: \(bytes) of \(agent.limits.toolResultBytes) bytes.",
                    isError: true
                )
            }
            return result(content, isError: false)
        } catch let error as ToolError {
            return result(error.message, isError: true)
        } catch {
            try Task.checkCancellation()
            // The error may hold what neither the model nor a log should read; its type tells where to look.
            agent.logger.debug("a tool failed", metadata: ["tool": "\(tool.name)", "error": "\(type(of: error))"])
            return result("The tool failed.", isError: true)
        }
    }

    private func emit(_ event: AgentEvent<Output>) async throws {
        do { try await onEvent(event) } catch { throw ReaderError(error: error) }
    }

    private func checkTools() throws(AgentError) {
        var names: Set<String> = []
        for tool in agent.tools where !names.insert(tool.name).inserted {
            throw AgentError(.misconfigured, "Two tools are called \(tool.name).")
        }
    }

    private func withinWallClock(
        _ work: @escaping @Sendable () async throws -> AgentResult<Output>
    ) async throws -> AgentResult<Output> {
        let limit = agent.limits.wallClock
        return try await withThrowingTaskGroup(of: AgentResult<Output>.self) { group in
            group.addTask { try await work() }
            group.addTask {
                try await Task.sleep(for: limit)
                throw AgentError(.timedOut, "The run took longer than \(limit).")
            }
            defer { group.cancelAll() }
            guard let result = try await group.next() else { throw AgentError.cancelled }
            return result
        }
    }

    private func described(_ error: any Error) -> AgentError {
        switch error {
        case let error as AgentError: error
        case is CancellationError: .cancelled
        // A model of someone else's threw it: its text may not be safe to show.
        default: AgentError(.providerUnavailable, "The model failed (\(type(of: error))).")
        }
    }
}
