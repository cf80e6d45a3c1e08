/// What a run knows, and what it has to do next. Pure: answers and results go in, actions come out.
///
///     ┌─▶ ask the model ─┬─ text only ──▶ finish
///     │                  └─ tool calls ──▶ call them ─┐
///     └───────────────────────────────────────────────┘
///
/// Where a run stands follows from its messages alone, which is why a broken one can go on from what was kept of it.
struct RunState {
    enum Action: Equatable {
        case ask([Message])
        case call([ToolCall])
        case finish(text: String)
    }

    let instructions: String
    let limits: AgentLimits
    private(set) var history: [Message]
    private(set) var usage = Usage()
    private(set) var requests = 0
    private(set) var toolCalls = 0
    private(set) var finishReason = FinishReason.stop

    init(instructions: String, history: [Message], limits: AgentLimits) {
        self.instructions = instructions
        self.history = history
        self.limits = limits
    }

    /// What to do next; counts it as done.
    mutating func next() throws(AgentError) -> Action {
        let open = Self.openCalls(in: history)
        if !open.isEmpty {
            try add(open.count, to: \.toolCalls, upTo: limits.toolCalls, "tool calls")
            return .call(open)
        }
        if case .assistant(let text, _)? = history.last {
            guard !text.isEmpty else { throw emptyAnswer }
            return .finish(text: text)
        }
        guard usage.totalTokens < limits.totalTokens else { throw reached("\(limits.totalTokens) tokens") }
        try add(1, to: \.requests, upTo: limits.requests, "requests to the model")
        return .ask(instructions.isEmpty ? history : [.system(instructions)] + history)
    }

    /// The model answered.
    mutating func answered(_ answer: ModelAnswer) -> Message {
        usage += answer.usage
        finishReason = answer.finishReason
        let message = Message.assistant(text: answer.text, toolCalls: answer.toolCalls)
        history.append(message)
        return message
    }

    /// The tools answered, in the order they were called.
    mutating func called(_ results: [ToolResult]) -> [Message] {
        let messages = results.map(Message.tool)
        history += messages
        return messages
    }

    /// Providers refuse a history in which a call has no result.
    static func closingCalls(of history: [Message]) -> [Message] {
        history
            + openCalls(in: history).map { call in
                .tool(
                    ToolResult(
                        callID: call.id,
                        name: call.name,
                        content: "The call was interrupted; what it did is not known.",
                        isError: true
                    )
                )
            }
    }

    /// The calls of the last answer that have no result yet.
    private static func openCalls(in history: [Message]) -> [ToolCall] {
        var answered: Set<String> = []
        for message in history.reversed() {
            switch message {
            case .tool(let result): answered.insert(result.callID)
            case .assistant(_, let calls): return calls.filter { !answered.contains($0.id) }
            case .system, .user: return []
            }
        }
        return []
    }

    private mutating func add(
        _ count: Int,
        to counter: WritableKeyPath<RunState, Int>,
        upTo limit: Int,
        _ what: String
    ) throws(AgentError) {
        guard self[keyPath: counter] + count <= limit else { throw reached("\(limit) \(what)") }
        self[keyPath: counter] += count
    }

    private func reached(_ limit: String) -> AgentError {
        AgentError(.limitReached, "The run reached its limit of \(limit) without an answer.")
    }

    private var emptyAnswer: AgentError {
        switch finishReason {
        case .length: AgentError(.invalidAnswer, "The model ran out of tokens before it said anything.")
        case .contentFilter: AgentError(.providerRefused, "The provider withheld the answer.")
        case .stop, .toolCalls, .other: AgentError(.invalidAnswer, "The model answered nothing.")
        }
    }
}

/// One answer of a model, gathered from its events.
struct ModelAnswer {
    var text = ""
    var toolCalls: [ToolCall] = []
    var usage = Usage()
    var finishReason = FinishReason.stop

    mutating func add(_ event: ModelEvent) {
        switch event {
        case .text(let piece): text += piece
        case .toolCall(let call): toolCalls.append(call)
        case .usage(let cost): usage += cost
        case .finish(let reason): finishReason = reason
        }
    }
}
