/// Puts a streamed answer together: chunks in, events out. Pure.
///
/// Text passes at once; tool calls come in pieces and are given when all is there, then the usage, then the end.
struct ChatAssembler {
    /// Tool calls of one answer. Providers allow 128; more is a provider gone wrong.
    static let callLimit = 128

    private struct PartialCall {
        let index: Int?
        var id: String
        var name = ""
        var arguments = ""
    }

    private var calls: [PartialCall] = []
    private var usage: Usage?
    private var finishReason: String?
    private(set) var hasBegun = false
    /// Where ids that a provider left out begin: with the length of the conversation, so that none comes twice in it.
    private let conversation: Int

    init(conversation: Int) {
        self.conversation = conversation
    }

    var hasFinished: Bool { finishReason != nil }

    /// The text in a chunk. Throws ``ProviderFailure`` for an error object.
    mutating func add(_ chunk: ChatChunk, secret: Secret?) throws -> [ModelEvent] {
        if let complaint = chunk.complaint { throw ProviderFailure(complaint: complaint, secret: secret) }
        // Some send the running total with each chunk, so the last one counts.
        usage = chunk.usage ?? usage
        var events: [ModelEvent] = []
        for choice in chunk.choices where (choice.index ?? 0) == 0 {
            hasBegun = true
            let delta = choice.delta ?? choice.message
            if let text = delta?.text, !text.isEmpty { events.append(.text(text)) }
            for piece in delta?.toolCalls ?? [] { try add(piece) }
            if let reason = choice.finishReason, !reason.isEmpty { finishReason = reason }
        }
        return events
    }

    /// Everything that had to wait for the end.
    mutating func finish() throws -> [ModelEvent] {
        guard calls.allSatisfy({ !$0.name.isEmpty }) else {
            throw ProviderFailure.invalid("a tool call without a name")
        }
        var events: [ModelEvent] = []
        var ids: Set<String> = []
        for (position, call) in calls.enumerated() {
            // Without an id, or with one that came before in this answer, results could not be told apart.
            let isUsable = !call.id.isEmpty && ids.insert(call.id).inserted
            let id = isUsable ? call.id : "call_\(conversation)_\(position)"
            ids.insert(id)
            events.append(.toolCall(ToolCall(id: id, name: call.name, arguments: call.arguments)))
        }
        if let usage { events.append(.usage(usage)) }
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

extension ProviderFailure {
    static func invalid(_ what: String) -> ProviderFailure {
        ProviderFailure(AgentError(.invalidAnswer, "The provider's answer cannot be used: \(what)."), mayRetry: false)
    }
}
