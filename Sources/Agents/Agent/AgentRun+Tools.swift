import Logging

/// What a run does with the calls that a model asks for.
extension AgentRun {
    private struct Called: Sendable {
        let index: Int
        let result: ToolResult
    }

    /// All calls of one answer at the same time; ``AgentLimits/toolCalls`` bounds how many that are.
    func call(_ calls: [ToolCall], counting state: inout RunState) async throws -> [ToolResult] {
        let refused = calls.map { state.exceeds(tool($0.name)?.callsPerRun, calling: $0.name) }
        return try await withThrowingTaskGroup(of: Called.self) { group in
            for (index, call) in calls.enumerated() {
                try await emit(.toolCall(call))
                let isRefused = refused[index]
                group.addTask { [self] in
                    Called(
                        index: index,
                        result: try await spanned(calling: call.name) { try await answer(call, isRefused: isRefused) }
                    )
                }
            }
            var results: [Called] = []
            for try await called in group {
                try await emit(.toolResult(called.result))
                results.append(called)
            }
            return results.sorted { $0.index < $1.index }.map(\.result)
        }
    }

    private func answer(_ call: ToolCall, isRefused: Bool) async throws -> ToolResult {
        guard let tool = tool(call.name) else {
            return call.failed("There is no tool of this name.", isMistake: true)
        }
        guard !isRefused else {
            return call.failed("\(tool.name) may be called \(tool.callsPerRun ?? 0) times, and was. Go on without it.")
        }
        guard let journal = agent.journal else { return try await perform(call, with: tool) }
        return try await journal.call(call, mayRepeat: tool.mayRepeat) { try await perform(call, with: tool) }
    }

    /// Whatever a tool does becomes a result the model can go on with. Throws only when the run itself is cancelled.
    private func perform(_ call: ToolCall, with tool: Tool) async throws -> ToolResult {
        do {
            guard let content = try await tool.answer(call.arguments) else {
                agent.logger.debug("a tool took too long", metadata: ["tool": "\(tool.name)"])
                return call.failed("The tool did not answer in time.")
            }
            let bytes = content.utf8.count
            guard bytes <= agent.limits.toolResultBytes else {
                return call.failed("The result is too long: \(bytes) of \(agent.limits.toolResultBytes) bytes.")
            }
            return ToolResult(callID: call.id, name: call.name, content: content)
        } catch let error as ToolError {
            return call.failed(error.message, isMistake: error.isMistake)
        } catch {
            try Task.checkCancellation()
            // The error may hold what neither the model nor a log should read; its type tells where to look.
            agent.logger.debug("a tool failed", metadata: ["tool": "\(tool.name)", "error": "\(type(of: error))"])
            return call.failed("The tool failed.")
        }
    }

    private func tool(_ name: String) -> Tool? {
        agent.tools.first { $0.name == name }
    }
}

extension ToolCall {
    /// A result that tells of a failure.
    fileprivate func failed(_ content: String, isMistake: Bool = false) -> ToolResult {
        ToolResult(callID: id, name: name, content: content, isError: true, isMistake: isMistake)
    }
}
