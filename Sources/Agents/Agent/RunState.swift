/// What a run knows, and what it has to do next. Pure: answers and results go in, actions come out.
///
///     ┌─▶ ask the model ─┬─ text ─────────▶ read it as the output ─┬─▶ finish
///     │                  └─ tool calls ──▶ call them ──▶ outputs? ─┤
///     └────────────────────────────────────────── no, or wrong ◀───┘
///
/// Where a run stands follows from its messages alone, which is why a broken one can go on from what was kept of it.
struct RunState: Sendable {
    enum Action: Equatable {
        case ask([Message])
        case call([ToolCall])
        /// The answer in words.
        case readText(String)
        /// Calls of output tools, when all others of the same answer have their result.
        case readCalls([ToolCall])
    }

    let instructions: String
    let limits: AgentLimits
    /// The names of the tools by which an output is given.
    let outputTools: Set<String>
    private(set) var history: [Message]
    private(set) var usage = Usage()
    private(set) var requests = 0
    private(set) var toolCalls = 0
    private(set) var finishReason = FinishReason.stop
    private(set) var model: String?
    private var outputRetries = 0
    /// Mistakes in a row, by the name of the tool.
    private var mistakes: [String: Int] = [:]
    private var callsByTool: [String: Int] = [:]

    init(instructions: String, history: [Message], limits: AgentLimits, outputTools: Set<String> = []) {
        self.instructions = instructions
        self.history = history
        self.limits = limits
        self.outputTools = outputTools
    }

    /// What to do next; counts it as done.
    mutating func next() throws(AgentError) -> Action {
        let open = Self.openCalls(in: history)
        let functions = open.filter { !outputTools.contains($0.name) }
        if !functions.isEmpty {
            try add(functions.count, to: \.toolCalls, upTo: limits.toolCalls, "tool calls")
            return .call(functions)
        }
        if !open.isEmpty { return .readCalls(open) }
        if let accepted = acceptedCall { return .readCalls([accepted]) }
        if case .assistant(let text, let calls, _)? = history.last, calls.isEmpty {
            guard !text.isEmpty else { throw emptyAnswer }
            return .readText(text)
        }
        try checkBudget()
        try add(1, to: \.requests, upTo: limits.requests, "requests to the model")
        return .ask(instructions.isEmpty ? history : [.system(instructions)] + history)
    }

    /// The model answered.
    mutating func answered(_ answer: ModelAnswer) throws(AgentError) -> Message {
        usage += answer.usage
        finishReason = answer.finishReason
        model = answer.model
        history.append(answer.message)
        guard limits.microdollars == nil || usage.microdollars != nil else {
            throw AgentError(.misconfigured, "The run has a limit on money, and the price of its model is not known.")
        }
        return answer.message
    }

    /// Whether this call is one too many for its tool; counts it if not.
    mutating func exceeds(_ limit: Int?, calling name: String) -> Bool {
        guard let limit else { return false }
        guard callsByTool[name, default: 0] < limit else { return true }
        callsByTool[name, default: 0] += 1
        return false
    }

    /// The tools answered, in the order they were called.
    mutating func called(_ results: [ToolResult]) throws(AgentError) -> [Message] {
        let messages = results.map(Message.tool)
        history += messages
        for name in Set(results.map(\.name)) {
            let isMistake = results.contains { $0.name == name && $0.isMistake }
            mistakes[name] = isMistake ? mistakes[name, default: 0] + 1 : nil
            guard mistakes[name, default: 0] <= limits.toolRetries else {
                let sentence = "The model called \(name) wrongly \(limits.toolRetries + 1) times in a row."
                throw AgentError(.invalidAnswer, sentence)
            }
        }
        return messages
    }

    /// The output is right. Every call needs a result, this one too.
    mutating func accepted(_ call: ToolCall, of calls: [ToolCall]) -> [Message] {
        guard Self.openCalls(in: history).contains(call) else { return [] }
        return append(
            calls.map { other in
                let content = other.id == call.id ? "Accepted." : "Not used: another answer was accepted."
                return ToolResult(callID: other.id, name: other.name, content: content, isError: other.id != call.id)
            }
        )
    }

    /// The output is wrong, and goes back to the model with the reason.
    mutating func rejected(_ reasons: [(call: ToolCall, reason: String)]) throws(AgentError) -> [Message] {
        try countRejection(reasons.first?.reason ?? "")
        return append(
            reasons.map {
                ToolResult(callID: $0.call.id, name: $0.call.name, content: again($0.reason), isError: true)
            }
        )
    }

    /// The output is wrong, and goes back to the model with the reason.
    mutating func rejected(text reason: String) throws(AgentError) -> [Message] {
        try countRejection(reason)
        let message = Message.user(again(reason))
        history.append(message)
        return [message]
    }

    /// Something is said between two steps.
    mutating func say(_ message: Message) {
        history = History.repaired(history) + [message]
    }

    private mutating func append(_ results: [ToolResult]) -> [Message] {
        let messages = results.map(Message.tool)
        history += messages
        return messages
    }

    private mutating func countRejection(_ reason: String) throws(AgentError) {
        if finishReason == .contentFilter { throw emptyAnswer }
        guard outputRetries < limits.outputRetries else {
            // What follows in further lines is for the model alone.
            let first = reason.prefix { !$0.isNewline }
            let sentence =
                "The model gave no usable output in \(limits.outputRetries + 1) attempts. The last: \(first)"
            throw AgentError(.invalidAnswer, sentence)
        }
        outputRetries += 1
    }

    private func again(_ reason: String) -> String {
        let cut = finishReason == .length ? " It was cut off where it became too long: be shorter." : ""
        return "This cannot be used: \(reason)\(cut) Mend it, and answer again."
    }

    /// Budgets are looked at before a request: an answer already paid for is given.
    private func checkBudget() throws(AgentError) {
        guard usage.totalTokens < limits.totalTokens else { throw reached("\(limits.totalTokens) tokens") }
        if let limit = limits.microdollars, let spent = usage.microdollars, spent >= limit {
            throw reached("\(limit) millionths of a dollar")
        }
    }

    /// The calls of the last answer that have no result yet.
    private static func openCalls(in history: [Message]) -> [ToolCall] {
        var answered: Set<String> = []
        for message in history.reversed() {
            switch message {
            case .tool(let result): answered.insert(result.callID)
            case .assistant(_, let calls, _): return calls.filter { !answered.contains($0.id) }
            case .system, .user: return []
            }
        }
        return []
    }

    /// The call by which the output was given, when the run had ended with it.
    private var acceptedCall: ToolCall? {
        var accepted: Set<String> = []
        for message in history.reversed() {
            switch message {
            case .tool(let result): if !result.isError { accepted.insert(result.callID) }
            case .assistant(_, let calls, _):
                return calls.first { outputTools.contains($0.name) && accepted.contains($0.id) }
            case .system, .user: return nil
            }
        }
        return nil
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
