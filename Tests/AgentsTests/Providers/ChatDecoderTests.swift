import NIOCore
import ScriptedProvider
import Testing

@testable import Agents

@Suite(.serialized) struct ChatDecoderTests {
    /// Decodes a body given in parts; text is joined, for how it is cut into pieces is the provider's affair.
    private func decode(_ parts: [[UInt8]], isWhole: Bool = true) throws -> [ModelEvent] {
        var decoder = BodyDecoder(ChatAssembler(conversation: 2))
        var events = try parts.flatMap { try decoder.receive(ByteBuffer(bytes: $0).readableBytesView) }
        events += try decoder.end(isWhole: isWhole)
        let text = events.map { if case .text(let piece) = $0 { piece } else { "" } }.joined()
        return (text.isEmpty ? [] : [.text(text)]) + events.filter { if case .text = $0 { false } else { true } }
    }

    private func decode(events: [String], isWhole: Bool = true) throws -> [ModelEvent] {
        try decode([Array(events.map { "data: \($0)\n\n" }.joined().utf8)], isWhole: isWhole)
    }

    /// Without a reason it has no field for one.
    private func delta(_ json: String, finishReason: String? = nil) -> String {
        ChatJSON.chunk(delta: json, finishReason: finishReason).replacing(#","finish_reason":null"#, with: "")
    }

    @Test func whatComesBeforeAnAnswerIsKeptInMind() throws {
        let text = delta(#"{"content":"Yes"}"#)
        // A field whose name begins with a space is no data, also when the space came first.
        #expect(throws: ProviderFailure.self) { try decode([" ", "data: \(text)\n\n"].map { Array($0.utf8) }) }
        #expect(try decode(["\u{FEFF}\n", "data: \(text)\n\n"].map { Array($0.utf8) }).first == .text("Yes"))
        #expect(try decode([[0xEF], [0xBB, 0xBF, 0x20], Array(text.utf8)]).first == .text("Yes"))
    }

    // MARK: What providers leave out

    @Test func withoutFinishReasonUsageAndDoneAnAnswerIsWholeWhenItsBodyIs() throws {
        #expect(try decode(events: [delta(#"{"content":"Yes"}"#)]) == [.text("Yes"), .finish(.stop)])
    }

    @Test(arguments: [[], ["[DONE]"]])
    func aStreamThatEndsBeforeTheReasonItOwesWasBrokenOff(end: [String]) {
        let begun = ChatJSON.chunk(delta: #"{"content":"Once upon a"}"#)
        for events in [[begun], [ChatJSON.chunk(delta: #"{"role":"assistant"}"#)]] {
            #expect { try decode(events: events + end) } throws: { error in
                (error as? ProviderFailure)?.error.code == .providerUnavailable
            }
        }
    }

    @Test(arguments: ["null", #""stop""#])
    func aStreamThatSaysWhatWasUsedOrWhyItEndedIsWhole(reason: String) throws {
        let begun = ChatJSON.chunk(delta: #"{"content":"Yes"}"#)
        let end = ChatJSON.chunk(delta: "{}").replacing(#""finish_reason":null"#, with: #""finish_reason":\#(reason)"#)
        let used = #"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#
        let events = [begun, end] + (reason == "null" ? [used] : [])
        #expect(try decode(events: events + ["[DONE]"]).last == .finish(.stop))
    }

    @Test func noughtIsNoUseThatWasCounted() throws {
        let zero = #","usage":{"prompt_tokens":0,"completion_tokens":0}}"#
        let pieces = [delta(#"{"content":"Yes"}"#), delta("{}", finishReason: "stop")]
        let events = pieces.map { $0.replacing(#","usage":null}"#, with: zero) }
        #expect(events[0].contains(zero))
        #expect(try decode(events: events) == [.text("Yes"), .finish(.stop)])
    }

    @Test func anAnswerInOnePieceOwesNoReason() throws {
        let whole = ChatJSON.completion(message: #"{"content":"Yes"}"#)
        #expect(try decode([Array(whole.utf8)]) == [.text("Yes"), .finish(.stop)])
    }

    @Test func whatIsNotCountedIsEstimated() throws {
        let messages = [Message.user(String(repeating: "a", count: 400))]
        var decoder = BodyDecoder(ChatAssembler(to: ModelRequest(messages: messages)))
        let body = "data: \(delta(#"{"content":"\#(String(repeating: "b", count: 80))"}"#, finishReason: "stop"))\n\n"
        let events = try decoder.receive(ByteBuffer(string: body).readableBytesView) + decoder.end(isWhole: true)
        #expect(events.contains(.usage(Usage(inputTokens: 101, outputTokens: 21, estimated: true))))
    }

    @Test func withoutTheLastEmptyLineAnAnswerIsRead() throws {
        let bytes = Array("data: \(delta(#"{"content":"Yes"}"#))".utf8)
        #expect(try decode([bytes]) == [.text("Yes"), .finish(.stop)])
    }

    @Test func aConnectionThatBreaksAfterTheFinishReasonTookNothingNeeded() throws {
        let events = [delta(#"{"content":"Yes"}"#), delta("{}", finishReason: "stop")]
        #expect(try decode(events: events, isWhole: false) == [.text("Yes"), .finish(.stop)])
    }

    @Test func missingIdsAreMadeUpAndDiffer() throws {
        let calls =
            #"{"tool_calls":[{"index":0,"function":{"name":"a","arguments":"{}"}},"#
            + #"{"index":1,"function":{"name":"b","arguments":"{}"}}]}"#
        #expect(
            try decode(events: [delta(calls)]) == [
                .toolCall(ToolCall(id: "call_2_0", name: "a", arguments: "{}")),
                .toolCall(ToolCall(id: "call_2_1", name: "b", arguments: "{}")),
                .finish(.toolCalls),
            ]
        )
    }

    @Test func anIdThatComesTwiceIsReplaced() throws {
        let calls =
            #"{"tool_calls":[{"index":0,"id":"x","function":{"name":"a","arguments":"{}"}},"#
            + #"{"index":1,"id":"x","function":{"name":"b","arguments":"{}"}}]}"#
        let ids = try decode(events: [delta(calls)]).compactMap {
            if case .toolCall(let call) = $0 { call.id } else { nil }
        }
        #expect(ids == ["x", "call_2_1"])
    }

    @Test(arguments: [
        // Gemini: the same index for all, an id each.
        [
            #"{"index":0,"id":"x","function":{"name":"a","arguments":"{}"}}"#,
            #"{"index":0,"id":"y","function":{"name":"b","arguments":"[]"}}"#,
        ],
        // No index, and arguments in pieces.
        [
            #"{"id":"x","function":{"name":"a","arguments":"{"}}"#, #"{"function":{"arguments":"}"}}"#,
            #"{"id":"y","function":{"name":"b","arguments":"[]"}}"#,
        ],
        // Id and name repeated with each piece.
        [
            #"{"index":0,"id":"x","function":{"name":"a","arguments":"{"}}"#,
            #"{"index":0,"id":"x","function":{"name":"a","arguments":"}"}}"#,
            #"{"index":1,"id":"y","function":{"name":"b","arguments":"[]"}}"#,
        ],
        // The arguments as JSON and not as text.
        [
            #"{"index":0,"id":"x","function":{"name":"a","arguments":{}}}"#,
            #"{"index":1,"id":"y","function":{"name":"b","arguments":[]}}"#,
        ],
        // Pieces of both in turns, indices with gaps.
        [
            #"{"index":3,"id":"x","function":{"name":"a","arguments":"{"}}"#,
            #"{"index":900000000,"id":"y","function":{"name":"b","arguments":"["}}"#,
            #"{"index":3,"function":{"arguments":"}"}}"#, #"{"index":900000000,"function":{"arguments":"]"}}"#,
        ],
    ])
    func toolCallsAreToldApart(pieces: [String]) throws {
        let events = try decode(events: pieces.map { delta(#"{"tool_calls":[\#($0)]}"#) })
        #expect(
            events == [
                .toolCall(ToolCall(id: "x", name: "a", arguments: "{}")),
                .toolCall(ToolCall(id: "y", name: "b", arguments: "[]")),
                .finish(.toolCalls),
            ]
        )
    }

    @Test func thinkingIsNotText() throws {
        let events = [
            delta(#"{"reasoning_content":"Let me see","content":null}"#), delta(#"{"reasoning":"hm","content":""}"#),
            delta(#"{"content":"Yes"}"#), "[DONE]",
        ]
        #expect(
            try decode(events: events) == [
                .text("Yes"), .thinking("Let me see"), .thinking("hm"), .thought(Thinking("Let me seehm")),
                .finish(.stop),
            ]
        )
    }

    @Test func aRefusalAndTextInPartsAreText() throws {
        let events = [delta(#"{"content":[{"type":"text","text":"N"},{"type":"x"}]}"#), delta(#"{"refusal":"o."}"#)]
        #expect(try decode(events: events) == [.text("No."), .finish(.stop)])
    }

    @Test func otherChoicesAreIgnored() throws {
        let other = #"{"choices":[{"index":1,"delta":{"content":"no"}}]}"#
        #expect(try decode(events: [other, delta(#"{"content":"yes"}"#)]) == [.text("yes"), .finish(.stop)])
    }

    @Test(arguments: [("length", FinishReason.length), ("content_filter", .contentFilter), ("eos", .other)])
    func finishReasonsHaveTheirWord(word: String, reason: FinishReason) throws {
        let events = try decode(events: [delta(#"{"content":"x"}"#, finishReason: word)])
        #expect(events.last == .finish(reason))
    }

    @Test func theLastUsageCountsAndNonsenseIsIgnored() throws {
        let events = [
            delta(#"{"content":"x"}"#),
            #"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}"#,
            #"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":-2,"prompt_tokens_details":{"cached_tokens":4}}}"#,
            #"{"choices":[],"usage":"unknown"}"#,
        ]
        let usage = Usage(inputTokens: 9, cachedInputTokens: 4, outputTokens: 0)
        #expect(try decode(events: events) == [.text("x"), .usage(usage), .finish(.stop)])
    }

    // MARK: What is refused

    private func failure(_ events: [String]) -> ProviderFailure? {
        #expect(throws: ProviderFailure.self) { try decode(events: events) }
    }

    @Test(arguments: [
        #"{"error":{"message":"Too many","type":"rate_limit_error","code":"rate_limit_exceeded"}}"#,
        #"{"error":{"message":"Too many","code":429}}"#,
    ])
    func anErrorObjectInTheStreamIsAFailure(chunk: String) {
        let failure = failure([chunk])
        #expect(failure?.error.code == .rateLimited)
        #expect(failure?.error.message.contains("Too many") == true)
        #expect(failure?.mayRetry == true)
    }

    @Test func anErrorObjectOfTheirsMayBeTriedAgainAndOneOfOursNot() {
        let theirs = failure([#"{"error":{"message":"boom","code":"502"}}"#])
        #expect(theirs?.error.code == .providerUnavailable)
        #expect(theirs?.mayRetry == true)
        let ours = failure([#"{"error":"bad request"}"#])
        #expect(ours?.error.code == .providerRefused)
        #expect(ours?.error.message.contains("bad request") == true)
        #expect(ours?.mayRetry == false)
    }

    @Test func anEventCalledErrorIsAFailure() {
        let bytes = Array("event: error\ndata: {\"message\":\"overloaded\",\"type\":\"overloaded_error\"}\n\n".utf8)
        let failure = #expect(throws: ProviderFailure.self) { try decode([bytes]) }
        #expect(failure?.error.code == .providerUnavailable)
    }

    @Test(arguments: [
        "", "\n\n", ": nothing\n\n", "<html></html>", "data: [DONE]\n\n", "data: {}\n\n", "{}", "{\"a\":1}",
    ])
    func anAnswerWithNothingInItIsInvalid(body: String) {
        let failure = #expect(throws: ProviderFailure.self) { try decode([Array(body.utf8)]) }
        #expect(failure?.error.code == .invalidAnswer)
    }

    @Test(arguments: ["data: {\n\n", "data: [1]\n\n", "data: nonsense\n\n", "{\"choices\":", "{\"choices\":5}"])
    func whatIsNoChatCompletionIsInvalid(body: String) {
        let failure = #expect(throws: ProviderFailure.self) { try decode([Array(body.utf8)]) }
        #expect(failure?.error.code == .invalidAnswer)
        #expect(failure?.mayRetry == false)
    }

    @Test func aToolCallWithoutANameIsInvalid() {
        #expect(failure([delta(#"{"tool_calls":[{"index":0,"id":"x"}]}"#)])?.error.code == .invalidAnswer)
    }

    @Test func moreToolCallsThanTheLimitAreInvalid() {
        let calls = (0...ChatAssembler.callLimit).map { #"{"index":\#($0),"id":"\#($0)","function":{"name":"a"}}"# }
        #expect(failure([delta(#"{"tool_calls":[\#(calls.joined(separator: ","))]}"#)])?.error.code == .invalidAnswer)
    }
}
