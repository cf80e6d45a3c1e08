import FoundationEssentials

/// Puts an answer of Chat Completions together. Pure.
///
/// Text passes at once; tool calls come in pieces and are given when all is there, then the usage, then the end.
struct ChatAssembler: AnswerAssembler {
    /// Tool calls of one answer. Providers allow 128; more is a provider gone wrong.
    static let callLimit = 128

    private struct PartialCall {
        let index: Int?
        var id: String
        var name = ""
        var arguments = ""
    }

    private var calls: [PartialCall] = []
    private var thinking = ""
    private var usage: Usage?
    private var finishReason: String?
    /// A stream whose pieces have a field for the reason says one at its end, or how much was used, or it was broken off: some servers
    /// end one stream for another as if all had been said.
    private var owesReason = false
    /// Of what the model said.
    private var saidBytes = 0
    private(set) var hasBegun = false
    /// Where ids that a provider left out begin: with the length of the conversation, so that none comes twice in it.
    private let conversation: Int
    /// What the model was asked, by which its use is estimated where the provider does not tell it.
    private let request: ModelRequest?
    private let secret: Secret?
    private let price: Price?

    init(to request: ModelRequest, secret: Secret? = nil, price: Price? = nil) {
        self.init(conversation: request.messages.count, request: request, secret: secret, price: price)
    }

    /// - Parameter conversation: How many messages the request had.
    init(conversation: Int, request: ModelRequest? = nil, secret: Secret? = nil, price: Price? = nil) {
        self.conversation = conversation
        self.request = request
        self.secret = secret
        self.price = price
    }

    var hasFinished: Bool { finishReason != nil }
    /// `[DONE]` is known to whoever reads the events.
    var isLast: Bool { false }

    mutating func add(_ event: ServerSentEvent) throws -> [ModelEvent] {
        let data = Data(event.data.utf8)
        if event.event == "error", let complaint = try? JSONDecoder().decode(ProviderComplaint.self, from: data) {
            throw ProviderFailure(complaint: complaint, secret: secret)
        }
        return try add(data, isPiece: true)
    }

    mutating func add(whole data: Data) throws -> [ModelEvent] {
        try add(data, isPiece: false)
    }

    private mutating func add(_ data: Data, isPiece: Bool) throws -> [ModelEvent] {
        let chunk = try ProviderFailure.decoding(ChatChunk.self, data, of: "a chat completion")
        if let complaint = chunk.complaint { throw ProviderFailure(complaint: complaint, secret: secret) }
        // Some send the running total with each chunk, so the last one counts.
        usage = chunk.usage ?? usage
        var events: [ModelEvent] = []
        for choice in chunk.choices where (choice.index ?? 0) == 0 {
            hasBegun = true
            owesReason = owesReason || isPiece && choice.hasReasonField
            let delta = choice.delta ?? choice.message
            if let thought = delta?.thinking, !thought.isEmpty {
                thinking += thought
                events.append(.thinking(thought))
            }
            if let text = delta?.text, !text.isEmpty {
                saidBytes += text.utf8.count
                events.append(.text(text))
            }
            for piece in delta?.toolCalls ?? [] { try add(piece) }
            if let reason = choice.finishReason, !reason.isEmpty { finishReason = reason }
        }
        // Behind the last piece, from a server that says no reason: it has said all.
        if chunk.choices.isEmpty, chunk.usage != nil { owesReason = false }
        return events
    }

    mutating func finish() throws -> [ModelEvent] {
        guard finishReason != nil || !owesReason else { throw ProviderFailure.brokenOff }
        guard calls.allSatisfy({ !$0.name.isEmpty }) else {
            throw ProviderFailure.invalid("a tool call without a name")
        }
        var events: [ModelEvent] = thinking.isEmpty ? [] : [.thought(Thinking(thinking))]
        var ids: Set<String> = []
        for (position, call) in calls.enumerated() {
            // Without an id, or with one that came before in this answer, results could not be told apart.
            let isUsable = !call.id.isEmpty && ids.insert(call.id).inserted
            let id = isUsable ? call.id : "call_\(conversation)_\(position)"
            ids.insert(id)
            events.append(.toolCall(ToolCall(id: id, name: call.name, arguments: call.arguments)))
        }
        if let usage = usage ?? estimate { events.append(.usage(usage.priced(by: price))) }
        events.append(.finish(reason))
        return events
    }

    private mutating func add(_ piece: ChatChunk.CallDelta) throws {
        let position: Int
        if let known = self.position(of: piece) {
            position = known
        } else {
            guard calls.count < Self.callLimit else { throw ProviderFailure.invalid("too many tool calls") }
            position = calls.count
            calls.append(PartialCall(index: piece.index, id: piece.id ?? ""))
        }
        if calls[position].id.isEmpty { calls[position].id = piece.id ?? "" }
        if calls[position].name.isEmpty { calls[position].name = piece.function?.name ?? "" }
        calls[position].arguments += piece.function?.arguments ?? ""
    }

    /// The call a piece goes on with; `nil` for a new one.
    ///
    /// The index tells, but Gemini gives all parallel calls the index 0 and a different id each, and others give none, so
    /// that a piece with an id of its own begins a call and one without goes on with the last.
    private func position(of piece: ChatChunk.CallDelta) -> Int? {
        let id = piece.id ?? ""
        let position =
            piece.index == nil
            ? calls.indices.last
            : calls.lastIndex { $0.index == piece.index }
        guard let position else { return nil }
        let isAnother = !id.isEmpty && !calls[position].id.isEmpty && id != calls[position].id
        // Without index and id, only a name tells where a call begins.
        let beginsByName =
            piece.index == nil && id.isEmpty && piece.function?.name?.isEmpty == false && !calls[position].name.isEmpty
        return isAnother || beginsByName ? nil : position
    }

    /// About four bytes are a token. Without it, limits and budgets would never be reached with a server that does not count.
    private var estimate: Usage? {
        guard let request else { return nil }
        let said = calls.reduce(saidBytes + thinking.utf8.count) { $0 + $1.name.utf8.count + $1.arguments.utf8.count }
        return Usage(inputTokens: request.bytes / 4 + 1, outputTokens: said / 4 + 1, estimated: true)
    }

    private var reason: FinishReason {
        switch finishReason {
        case "length": .length
        case "content_filter": .contentFilter
        case _ where !calls.isEmpty: .toolCalls
        case nil, "stop": .stop
        default: .other
        }
    }
}
