import FoundationEssentials

/// Puts an answer of the Messages API together. Pure.
///
/// Text and thinking pass at once; what a block comes to (thinking with its signature, a tool call) is given at the end.
struct MessagesAssembler: AnswerAssembler {
    /// Whose thinking it is, see ``Thinking/Seal``.
    static let format = "anthropic"
    /// Thinking that is not shown and goes back as it came.
    static let redactedFormat = "anthropic-redacted"

    private var blocks: [Int: MessagesBlock] = [:]
    private var usage: MessagesEvent.Tokens?
    private var stopReason: String?
    private(set) var hasBegun = false
    private(set) var isLast = false
    /// See ``ChatAssembler``.
    private let conversation: Int
    private let secret: Secret?
    private let price: Price?

    init(conversation: Int, secret: Secret? = nil, price: Price? = nil) {
        self.conversation = conversation
        self.secret = secret
        self.price = price
    }

    var hasFinished: Bool { stopReason != nil }

    mutating func add(_ event: ServerSentEvent) throws -> [ModelEvent] {
        let data = Data(event.data.utf8)
        let said = try ProviderFailure.decoding(MessagesEvent.self, data, of: "a message's event")
        let place = said.index ?? 0
        switch said.type ?? event.event {
        case "error": throw try complaint(data)
        case "message_start":
            hasBegun = true
            usage = said.message?.usage
        case "content_block_start":
            guard blocks[place] == nil, let block = said.block else { break }
            return try begin(block, at: place)
        case "content_block_delta":
            guard let delta = said.delta else { break }
            return blocks[place, default: MessagesBlock()].add(delta)
        case "message_delta":
            hasBegun = true
            stopReason = said.delta?.stopReason ?? stopReason
            usage = usage?.updated(by: said.usage) ?? said.usage
        case "message_stop": isLast = true
        default: break
        }
        return []
    }

    mutating func add(whole data: Data) throws -> [ModelEvent] {
        let message = try ProviderFailure.decoding(MessagesEvent.Whole.self, data, of: "a message")
        guard message.type != "error" else { throw try complaint(data) }
        guard let content = message.content else { return [] }
        hasBegun = true
        isLast = true
        usage = message.usage
        stopReason = message.stopReason
        return try content.enumerated().flatMap { try begin($1, at: $0) }
    }

    mutating func finish() throws -> [ModelEvent] {
        let ordered = blocks.sorted { $0.key < $1.key }.map(\.value)
        var events = ordered.compactMap { $0.thinking.map(ModelEvent.thought) }
        let calls = ordered.filter { $0.type == "tool_use" }
        for (position, call) in calls.enumerated() {
            guard let name = call.name, !name.isEmpty else {
                throw ProviderFailure.invalid("a tool call without a name")
            }
            let id = call.id ?? "call_\(conversation)_\(position)"
            events.append(.toolCall(ToolCall(id: id, name: name, arguments: call.arguments)))
        }
        if let usage { events.append(.usage(usage.usage.priced(by: price))) }
        events.append(.finish(reason(hasCalls: !calls.isEmpty)))
        return events
    }

    /// A block may begin with something in it, and a whole one does.
    private mutating func begin(_ block: MessagesBlock, at place: Int) throws -> [ModelEvent] {
        guard blocks.count < ChatAssembler.callLimit else { throw ProviderFailure.invalid("too many blocks") }
        hasBegun = true
        blocks[place] = block
        switch block.type {
        case "text" where block.text?.isEmpty == false: return [.text(block.text ?? "")]
        case "thinking" where block.thought?.isEmpty == false: return [.thinking(block.thought ?? "")]
        default: return []
        }
    }

    private func complaint(_ data: Data) throws -> ProviderFailure {
        ProviderFailure(
            complaint: try ProviderFailure.decoding(ProviderComplaint.self, data, of: "an error"),
            secret: secret
        )
    }

    private func reason(hasCalls: Bool) -> FinishReason {
        switch stopReason {
        case "max_tokens", "model_context_window_exceeded": .length
        case "refusal": .contentFilter
        case _ where hasCalls: .toolCalls
        case nil, "end_turn", "stop_sequence": .stop
        default: .other
        }
    }
}
