import NIOCore
import ScriptedProvider
import Testing

@testable import Agents

/// A streamed answer and one given at once say the same, however the bytes are cut: for each API, over a thousand answers.
@Suite(.serialized) struct TranscriptTests {
    /// An answer with anything in it: thinking, text before calls, several calls, odd characters, all ways to end.
    static func answer(_ seed: UInt64) -> ScriptedAnswer {
        var random = SplitMix(seed: seed)
        let letters = ["a", "ß", "🦉", "\"", "\\", "\n", " ", "{", "}", "data: ", "\r\n", "</think>"]
        func pieces(_ counts: ClosedRange<Int>) -> [String] {
            (0..<Int.random(in: counts, using: &random)).map { _ in letters.randomElement(using: &random) ?? "" }
        }
        var answer = ScriptedAnswer()
        answer.thinking = pieces(0...2)
        answer.text = pieces(0...3)
        answer.calls = (0..<Int.random(in: 0...2, using: &random)).map { index in
            let value: JSONValue = ["q": .string(pieces(0...3).joined()), "n": .integer(index)]
            return ScriptedCall(id: "call_\(index)", name: "tool\(index)", arguments: value.text)
        }
        let input = Int.random(in: 10...500, using: &random)
        answer.usage =
            Bool.random(using: &random)
            ? ScriptedUsage(input: input, output: 7, cached: input / 2, written: 3, thinking: 2) : nil
        answer.end = [ScriptedAnswer.End.done, .done, .length, .filtered].randomElement(using: &random) ?? .done
        if answer.text.isEmpty, answer.calls.isEmpty { answer.text = ["Yes"] }
        return answer
    }

    /// What has to come of it.
    static func events(_ answer: ScriptedAnswer, _ api: ScriptedAPI) -> [ModelEvent] {
        let (thinking, text) = (answer.thinking.joined(), answer.text.joined())
        let seal: Thinking.Seal? =
            switch api {
            case .chat: nil
            case .responses: .init(format: "openai-responses", id: "rs_1", data: "sealed")
            case .messages: .init(format: "anthropic", data: "sealed")
            }
        var events: [ModelEvent] = thinking.isEmpty ? [] : [.thinking(thinking)]
        if !text.isEmpty { events.append(.text(text)) }
        if !answer.thinking.isEmpty { events.append(.thought(Thinking(thinking, seal: seal))) }
        events += answer.calls.map { call in
            let arguments = JSONValue(text: call.arguments)?.text ?? call.arguments
            return .toolCall(
                ToolCall(id: call.id, name: call.name, arguments: api == .messages ? arguments : call.arguments)
            )
        }
        if let usage = answer.usage {
            events.append(
                .usage(
                    Usage(
                        inputTokens: usage.input,
                        cachedInputTokens: usage.cached,
                        cacheWriteTokens: api == .messages ? usage.written : 0,
                        outputTokens: usage.output,
                        thinkingTokens: api == .messages ? 0 : usage.thinking
                    )
                )
            )
        }
        switch answer.end {
        case .done: events.append(.finish(answer.calls.isEmpty ? .stop : .toolCalls))
        case .length: events.append(.finish(.length))
        case .filtered: events.append(.finish(.contentFilter))
        }
        return events
    }

    private func decode(_ bytes: [UInt8], in size: Int? = nil, _ api: ScriptedAPI) throws -> [ModelEvent] {
        switch api {
        case .chat: try decode(bytes, in: size, BodyDecoder(ChatAssembler(conversation: 2)))
        case .responses: try decode(bytes, in: size, BodyDecoder(ResponsesAssembler()))
        case .messages: try decode(bytes, in: size, BodyDecoder(MessagesAssembler(conversation: 2)))
        }
    }

    /// Given in parts of `size`. Text and thinking are joined, for how they are cut into pieces is the provider's affair.
    private func decode(
        _ bytes: [UInt8],
        in size: Int?,
        _ decoder: BodyDecoder<some AnswerAssembler>
    ) throws -> [ModelEvent] {
        var decoder = decoder
        var buffer = ByteBuffer(bytes: bytes)
        var all: [ModelEvent] = []
        while let part = buffer.readSlice(length: min(size ?? bytes.count, buffer.readableBytes)),
            part.readableBytes > 0
        {
            all += try decoder.receive(part.readableBytesView)
        }
        all += try decoder.end(isWhole: true)
        #expect(decoder.isComplete)
        return Self.joined(all)
    }

    private func events(of stream: [UInt8], cutEverywhere: Bool) throws -> [ServerSentEvent] {
        var parser = ServerSentEventParser()
        guard cutEverywhere else { return try parser.parse(stream) }
        var events: [ServerSentEvent] = []
        for byte in stream { events += try parser.parse(CollectionOfOne(byte)) }
        return events
    }

    private static func joined(_ all: [ModelEvent]) -> [ModelEvent] {
        var events: [ModelEvent] = []
        var (thinking, text) = ("", "")
        for event in all {
            switch event {
            case .text(let piece): text += piece
            case .thinking(let piece): thinking += piece
            default: events.append(event)
            }
        }
        return (thinking.isEmpty ? [] : [.thinking(thinking)]) + (text.isEmpty ? [] : [.text(text)]) + events
    }

    @Test(arguments: ScriptedAPI.allCases)
    func aThousandAnswersAreTheSameStreamedCutAtEveryByteAndGivenAtOnce(api: ScriptedAPI) throws {
        for seed in 0..<1_000 as Range<UInt64> {
            let answer = Self.answer(seed)
            let expected = Self.events(answer, api)
            // What every chunk says again is left out: each byte is a step of this test.
            let repeated = #""id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"scripted","#
            let stream = Array(answer.stream(as: api).replacing(repeated, with: "").utf8)
            #expect(try decode(stream, api) == expected, "seed \(seed)")
            // The assembler sees events, so it is enough that these are the same; now and then the whole is cut too.
            #expect(
                try events(of: stream, cutEverywhere: true) == events(of: stream, cutEverywhere: false),
                "seed \(seed)"
            )
            if seed.isMultiple(of: 10) { #expect(try decode(stream, in: 1, api) == expected, "seed \(seed)") }
            #expect(try decode(Array(answer.whole(as: api).utf8), api) == expected, "seed \(seed)")
        }
    }

    @Test(arguments: ScriptedAPI.allCases)
    func anAnswerInPartsOfOtherSizesIsTheSame(api: ScriptedAPI) throws {
        let answer = ScriptedAnswer(
            "Grüß ",
            "🦉",
            thinking: ["Hm"],
            calls: [ScriptedCall(id: "a", name: "t", arguments: #"{"n":1}"#)]
        )
        for bytes in [answer.stream(as: api), answer.whole(as: api)].map({ Array($0.utf8) }) {
            // All the sizes that fall within an event, and then some.
            for size in Array(2...48) + stride(from: 49, through: bytes.count, by: 53) {
                #expect(try decode(bytes, in: size, api) == Self.events(answer, api))
            }
        }
    }

    /// Events are what the assemblers see, so events cut anywhere being the same is enough; and this is cheap.
    @Test(arguments: ScriptedAPI.allCases)
    func theEventsOfAStreamCutInTwoAnywhereAreTheSame(api: ScriptedAPI) throws {
        for seed in 0..<6 as Range<UInt64> {
            let stream = Self.answer(seed).stream(as: api)
            var (before, position) = (ServerSentEventParser(), stream.utf8.startIndex)
            while position < stream.utf8.endIndex {
                let end = stream.utf8[position...].firstRange(of: "\n\n".utf8)?.upperBound ?? stream.utf8.endIndex
                let event = Array(stream.utf8[position..<end])
                var whole = before
                let expected = try whole.parse(event)
                for cut in event.indices {
                    var parser = before
                    #expect(try parser.parse(event[..<cut]) + parser.parse(event[cut...]) == expected)
                }
                (before, position) = (whole, end)
            }
        }
    }

    @Test(arguments: ScriptedAPI.allCases)
    func anAnswerThatBreaksOffIsNeverTakenForAWholeOne(api: ScriptedAPI) throws {
        let answer = ScriptedAnswer("One", "Two", calls: [ScriptedCall(id: "a", name: "t", arguments: "{}")])
        let stream = Array(answer.stream(as: api).utf8)
        let mark =
            api == .chat ? "\"finish_reason\":\"" : api == .responses ? "response.completed" : "\"stop_reason\":\""
        let finish = try #require(stream.indices.first { stream[$0...].starts(with: mark.utf8) })
        for cut in stride(from: 0, to: finish, by: 7) {
            let part = [Array(stream[..<cut])]
            #expect(throws: ProviderFailure.self) { try broken(part, api) }
        }
        let whole = Array(answer.whole(as: api).utf8)
        for cut in stride(from: 0, to: whole.count, by: 7) {
            #expect(throws: ProviderFailure.self) { try broken([Array(whole[..<cut])], api) }
        }
    }

    private func broken(_ parts: [[UInt8]], _ api: ScriptedAPI) throws {
        func decode(_ decoder: BodyDecoder<some AnswerAssembler>) throws {
            var decoder = decoder
            for part in parts { _ = try decoder.receive(ByteBufferView(part)) }
            _ = try decoder.end(isWhole: false)
        }
        switch api {
        case .chat: try decode(BodyDecoder(ChatAssembler(conversation: 2)))
        case .responses: try decode(BodyDecoder(ResponsesAssembler()))
        case .messages: try decode(BodyDecoder(MessagesAssembler(conversation: 2)))
        }
    }

    /// A provider that lies: bytes changed, lost and doubled. Whatever comes of it, nothing traps, and tool calls have names.
    @Test(arguments: ScriptedAPI.allCases)
    func damagedAnswersNeverHarm(api: ScriptedAPI) throws {
        var random = SplitMix(seed: 11)
        for seed in 0..<400 as Range<UInt64> {
            let answer = Self.answer(seed)
            var bytes = Array((seed.isMultiple(of: 2) ? answer.stream(as: api) : answer.whole(as: api)).utf8)
            for _ in 0..<Int.random(in: 1...6, using: &random) where !bytes.isEmpty {
                let position = Int.random(in: bytes.indices, using: &random)
                switch Int.random(in: 0...3, using: &random) {
                case 0: bytes[position] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.removeSubrange(position..<min(bytes.count, position + 9))
                case 2: bytes.insert(contentsOf: Array(bytes[position...].prefix(40)), at: position)
                default: bytes[position] = UInt8(ascii: "9")
                }
            }
            guard let events = try? decode(bytes, api) else { continue }
            for case .toolCall(let call) in events { #expect(!call.name.isEmpty && !call.id.isEmpty) }
        }
    }
}
