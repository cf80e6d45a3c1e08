/// What providers want of a conversation: behind each answer with tool calls come the results of all of them and of nothing
/// else.
public enum History {
    /// A conversation that was broken off, made whole: calls without a result are answered as interrupted, results without a
    /// call are left out, and results stand right behind the answer that called.
    ///
    /// ``Agent/run(_:images:history:onEvent:)`` does this with the history it is given.
    public static func repaired(_ history: [Message]) -> [Message] {
        var repaired: [Message] = []
        for (index, message) in history.enumerated() {
            switch message {
            case .system, .user: repaired.append(message)
            case .tool: break
            case .assistant(let text, let calls, let thinking):
                guard !(text.isEmpty && calls.isEmpty && thinking.isEmpty) else { break }
                repaired.append(message)
                let results = results(after: index, in: history)
                repaired += calls.map { call in
                    .tool(results.first { $0.callID == call.id } ?? interrupted(call))
                }
            }
        }
        return repaired
    }

    /// The results between this answer and the next.
    private static func results(after index: Int, in history: [Message]) -> [ToolResult] {
        var results: [ToolResult] = []
        for message in history[(index + 1)...] {
            switch message {
            case .tool(let result): results.append(result)
            case .assistant: return results
            case .system, .user: break
            }
        }
        return results
    }

    private static func interrupted(_ call: ToolCall) -> ToolResult {
        ToolResult(
            callID: call.id,
            name: call.name,
            content: "The call was interrupted; what it did is not known.",
            isError: true
        )
    }
}
