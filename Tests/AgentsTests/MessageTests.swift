import FoundationEssentials
import Testing

@testable import Agents

@Suite(.serialized) struct MessageTests {
    @Test(arguments: [
        (Message.system("Be brief."), #"{"role":"system","text":"Be brief."}"#),
        (.user("?"), #"{"role":"user","text":"?"}"#),
        (.assistant(text: "Yes."), #"{"role":"assistant","text":"Yes."}"#),
        (
            .assistant(text: "", toolCalls: [ToolCall(id: "1", name: "t", arguments: "{}")]),
            #"{"role":"assistant","text":"","toolCalls":[{"arguments":"{}","id":"1","name":"t"}]}"#
        ),
        (
            .tool(ToolResult(callID: "1", name: "t", content: "x")),
            #"{"result":{"callID":"1","content":"x","isError":false,"name":"t"},"role":"tool"}"#
        ),
    ])
    func theStoredFormIsFixed(message: Message, json: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        #expect(String(decoding: try encoder.encode(message), as: UTF8.self) == json)
        #expect(try JSONDecoder().decode(Message.self, from: Data(json.utf8)) == message)
    }

    @Test(arguments: [#"{}"#, #"{"role":"wizard","text":"x"}"#, #"{"role":"user"}"#, #"{"role":"tool","text":"x"}"#])
    func whatIsNoMessageIsRefused(json: String) {
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(Message.self, from: Data(json.utf8)) }
    }
}

@Suite(.serialized) struct UsageTests {
    @Test func aSumWithSomethingThatIsEstimatedIsEstimated() {
        let counted = Usage(inputTokens: 1)
        var estimated = counted
        estimated.estimated = true
        #expect((counted + estimated).estimated == true && (estimated + counted).estimated == true)
        #expect((counted + counted).estimated == nil)
    }

    @Test func absurdCountsNeitherTrapNorGoBelowNought() {
        let absurd = Usage(inputTokens: .max, cachedInputTokens: .min, outputTokens: -1)
        #expect((absurd + absurd).totalTokens == .max)
        #expect(absurd.cachedInputTokens == 0)
        #expect(absurd.outputTokens == 0)
    }
}

@Suite(.serialized) struct JSONValueTests {
    @Test func membersKeepTheirOrderAndTextIsEscaped() {
        let value: JSONValue = ["b": [1, 2.5, true, .null], "a": "\"\\\n\u{1}é🦉", "nan": .number(.nan)]
        #expect(value.text == "{\"b\":[1,2.5,true,null],\"a\":\"\\\"\\\\\\n\\u0001é🦉\",\"nan\":null}")
    }

    @Test func whatIsReadIsSortedAndTheSameEachTime() throws {
        let value = try JSONDecoder().decode(JSONValue.self, from: Data(#"{"b":[1,2.5,"x",null,false],"a":{}}"#.utf8))
        #expect(value == ["a": [:], "b": [1, 2.5, "x", .null, false]])
        #expect(value["b"] == [1, 2.5, "x", .null, false])
        #expect(value["c"] == nil)
    }
}
