import FoundationEssentials

/// Puts an answer of the Responses API together. Pure.
///
/// Text and summaries of thinking pass at once; items (thinking to be kept, tool calls) are taken when they are done, or from
/// the whole response at the end where a server leaves that out.
struct ResponsesAssembler: AnswerAssembler {
    /// Whose thinking it is, see ``Thinking/Seal``.
    static let format = "openai-responses"

    /// Finished items by their place in the output.
    private var items: [Int: ResponsesItem] = [:]
    /// Places whose text was given as it came.
    private var spoken: Set<Int> = []
    /// Places whose thinking was.
    private var thoughtAloud: Set<Int> = []
    private var usage: Usage?
    private var end: ResponsesEvent.Response?
    private(set) var hasBegun = false
    private let secret: Secret?
    private let price: Price?

    init(secret: Secret? = nil, price: Price? = nil) {
        self.secret = secret
        self.price = price
    }

    var hasFinished: Bool { end != nil }
    var isLast: Bool { end != nil }

    mutating func add(_ event: ServerSentEvent) throws -> [ModelEvent] {
        let data = Data(event.data.utf8)
        let said = try ProviderFailure.decoding(ResponsesEvent.self, data, of: "a response's event")
        switch said.type ?? event.event {
        case "error": throw complaint(data)
        case "response.failed": throw complaint(data)
        case "response.completed", "response.incomplete":
            guard let response = said.response else { throw ProviderFailure.invalid("its end is empty") }
            return try finish(with: response)
        case "response.output_text.delta", "response.refusal.delta":
            hasBegun = true
            spoken.insert(said.place ?? 0)
            return text(said.delta)
        case "response.reasoning_summary_text.delta", "response.reasoning_text.delta":
            hasBegun = true
            thoughtAloud.insert(said.place ?? 0)
            return (said.delta ?? "").isEmpty ? [] : [.thinking(said.delta ?? "")]
        case "response.output_item.done":
            hasBegun = true
            guard let item = said.item else { return [] }
            return try add(item, at: said.place ?? items.count)
        case "response.created", "response.in_progress", "response.queued", "response.output_item.added":
            hasBegun = true
            return []
        default: return []
        }
    }

    mutating func add(whole data: Data) throws -> [ModelEvent] {
        let response = try ProviderFailure.decoding(ResponsesEvent.Response.self, data, of: "a response")
        guard response.error == nil || response.error == .null, response.status != "failed" else {
            throw complaint(data)
        }
        guard response.output != nil || response.status != nil else { return [] }
        return try finish(with: response)
    }

    mutating func finish() throws -> [ModelEvent] {
        let ordered = items.sorted { $0.key < $1.key }.map(\.value)
        let calls = ordered.filter { $0.type == "function_call" }
        var events = ordered.compactMap { $0.type == "reasoning" ? ModelEvent.thought($0.thinking) : nil }
        for call in calls {
            guard let name = call.name, !name.isEmpty, let id = call.callID ?? call.id else {
                throw ProviderFailure.invalid("a tool call without a name")
            }
            events.append(.toolCall(ToolCall(id: id, name: name, arguments: call.arguments ?? "")))
        }
        if let usage { events.append(.usage(usage.priced(by: price))) }
        events.append(.finish(reason(hasCalls: !calls.isEmpty)))
        return events
    }

    private mutating func finish(with response: ResponsesEvent.Response) throws -> [ModelEvent] {
        hasBegun = true
        end = response
        usage = response.usage?.usage
        var events: [ModelEvent] = []
        for (place, item) in (response.output ?? []).enumerated() where items[place] == nil {
            events += try add(item, at: place)
        }
        return events
    }

    private mutating func add(_ item: ResponsesItem, at place: Int) throws -> [ModelEvent] {
        guard items.count < ChatAssembler.callLimit else { throw ProviderFailure.invalid("too many items") }
        items[place] = item
        switch item.type {
        case "message" where spoken.insert(place).inserted: return text(item.text)
        case "reasoning" where thoughtAloud.insert(place).inserted && !item.thinking.text.isEmpty:
            return [.thinking(item.thinking.text)]
        default: return []
        }
    }

    private func text(_ text: String?) -> [ModelEvent] {
        guard let text, !text.isEmpty else { return [] }
        return [.text(text)]
    }

    private func complaint(_ data: Data) -> ProviderFailure {
        struct Failed: Decodable { let response: ProviderComplaint }
        let decoder = JSONDecoder()
        let complaint =
            (try? decoder.decode(Failed.self, from: data))?.response
            ?? (try? decoder.decode(ProviderComplaint.self, from: data))
        guard let complaint else { return ProviderFailure.invalid("it failed, and does not say why") }
        return ProviderFailure(complaint: complaint, secret: secret)
    }

    private func reason(hasCalls: Bool) -> FinishReason {
        switch end?.incompleteDetails?.reason {
        case "max_output_tokens", "max_tokens": .length
        case "content_filter": .contentFilter
        case _ where hasCalls: .toolCalls
        case nil: .stop
        default: .other
        }
    }
}
