import FoundationEssentials
import Testing

@testable import Agents

@Suite(.serialized) struct ToolTests {
    private struct Search: Decodable {
        let words: [String]
        let limit: Int?
    }

    private func message(_ tool: Tool, _ arguments: String) async -> String? {
        await #expect(throws: ToolError.self) { try await tool.answer(arguments) }?.message
    }

    private static func search() throws -> Tool {
        try Tool("search", "") { (search: Search) in search.words }
    }

    @Test func anEncodableResultIsJSON() async throws {
        #expect(try await Self.search().answer(#"{"words":["a","/"]}"#) == #"["a","/"]"#)
    }

    @Test(arguments: ["", " \n", "{}"])
    func noArgumentsAreWrittenInManyWays(text: String) async throws {
        let tool = try Tool("now", "") { (_: NoArguments) in "noon" }
        #expect(try await tool.answer(text) == "noon")
    }

    @Test(arguments: [
        (#"{"#, "they are not valid JSON."), (#"{}"#, #"must have the property "words""#),
        (#"{"words":3}"#, "/words must be an array"), (#"{"words":null}"#, "/words must be an array"),
        (#"{"words":[],"limit":"x"}"#, "/limit must be an integer"), (#"[]"#, "must be an object"),
        (#"{"words":[3],"limit":"x"}"#, "/words/0 must be a string"),
    ])
    func argumentsThatCannotBeUsedAreExplained(text: String, sentence: String) async throws {
        let message = try #require(await message(try Self.search(), text))
        #expect(message.hasPrefix("The arguments are not usable: ") && message.contains(sentence), "\(message)")
    }

    @Test func nullForWhatMayBeLeftOutIsAsGoodAsLeavingItOut() async throws {
        #expect(try await Self.search().answer(#"{"words":["a"],"limit":null}"#) == #"["a"]"#)
    }

    @Test func aToolMayBeCalledSoOftenInARun() async throws {
        let tool = try Tool("t", "", callsPerRun: 2) { (_: NoArguments) in "x" }
        let call = ScriptedModel.Turn.calls(ToolCall(id: "1", name: "t", arguments: ""))
        let model = ScriptedModel(call, call, call, .says("Done."))
        let result = try await Agent(model: model, tools: [tool]).run("?")
        let told = result.history.compactMap { if case .tool(let result) = $0 { result } else { nil } }
        #expect(told.map(\.isError) == [false, false, true])
        #expect(told.last?.content == "t may be called 2 times, and was. Go on without it.")
    }

    @Test(arguments: ["", "two words", "ünïcode", String(repeating: "x", count: 65)])
    func aNameNoProviderTakesIsRefused(name: String) {
        let error = #expect(throws: AgentError.self) { try Tool(name, "") { (_: NoArguments) in "" } }
        #expect(error?.code == .misconfigured)
    }

    @Test func datesTravelAsTheSchemaSays() async throws {
        struct Day: Codable { let day: Date }
        let tool = try Tool("day", "") { (day: Day) in day }
        #expect(try await tool.answer(#"{"day":"2026-02-01T10:00:00Z"}"#) == #"{"day":"2026-02-01T10:00:00Z"}"#)
    }

    @Test func moreCallsAtOnceThanAnySaneNumberAreTurnedAway() async throws {
        let gate = Gate()
        defer { gate.open() }
        let tool = try Tool("t", "", timeout: .milliseconds(1)) { (_: NoArguments) in
            await gate.waitWhateverHappens()
            return ""
        }
        for _ in 0..<256 { #expect(try await tool.answer("") == nil) }
        #expect(await message(tool, "") == "The tool is busy. Try again later.")
    }
}

@Suite(.serialized) struct JSONSchemaTests {
    private typealias Describable = Decodable & SendableMetatype

    private enum Unit: String, Decodable, CaseIterable { case celsius, fahrenheit }
    private enum Level: Int, Decodable, CaseIterable { case low = 1, high = 2 }

    private struct Inner: Decodable, Described {
        let name: String
        static let descriptions = ["name": "Its name."]
    }

    private struct Everything: Decodable, Described {
        let text: String
        let count: UInt8
        let ratio: Float
        let flag: Bool?
        let unit: Unit
        let level: Level?
        let tags: Set<String>
        let inner: Inner
        let inners: [Inner]?
        let map: [String: Int]
        let day: Date
        let id: UUID
        let page: URL
        let grid: [[Double]]

        private enum CodingKeys: String, CodingKey {
            case text = "the_text"
            case count, ratio, flag, unit, level, tags, inner, inners, map, day, id, page, grid
        }

        static let descriptions = ["the_text": "What to say.", "unit": "Which."]
    }

    @Test func aSchemaIsFoundInTheOrderOfThePropertiesAndNested() throws {
        let inner =
            #"{"type":"object","properties":{"name":{"type":"string","description":"Its name."}},"required":["name"],"additionalProperties":false}"#
        let expected =
            #"{"type":"object","properties":{"the_text":{"type":"string","description":"What to say."},"count":{"type":"integer"},"#
            + #""ratio":{"type":"number"},"flag":{"type":"boolean"},"#
            + #""unit":{"type":"string","enum":["celsius","fahrenheit"],"description":"Which."},"#
            + #""level":{"type":"integer","enum":[1,2]},"tags":{"type":"array","items":{"type":"string"}},"#
            + #""inner":\#(inner),"inners":{"type":"array","items":\#(inner)},"#
            + #""map":{"type":"object","additionalProperties":{"type":"integer"}},"day":{"type":"string","format":"date-time"},"#
            + #""id":{"type":"string","format":"uuid"},"page":{"type":"string","format":"uri"},"#
            + #""grid":{"type":"array","items":{"type":"array","items":{"type":"number"}}}},"#
            + #""required":["the_text","count","ratio","unit","tags","inner","map","day","id","page","grid"],"#
            + #""additionalProperties":false}"#
        let found = try JSONSchema(of: Everything.self).json.text
        #expect(found == expected)
    }

    @Test func aTypeWithoutPropertiesIsAnEmptyObject() throws {
        let schema = #"{"type":"object","properties":{},"required":[],"additionalProperties":false}"#
        #expect(try JSONSchema(of: NoArguments.self).json.text == schema)
    }

    private enum Undescribed: String, Decodable { case a }
    private struct HasUndescribed: Decodable { let choice: Undescribed }
    private struct Misdescribed: Decodable, Described {
        let name: String
        static let descriptions = ["nmae": "?"]
    }
    private struct Tree: Decodable { let branches: [Tree] }
    private struct Empty: RawRepresentable, Decodable, CaseIterable {
        let rawValue: String
        static let allCases: [Empty] = []
    }
    private struct HasEmpty: Decodable { let empty: Empty }
    private struct ByHand: Decodable {
        let value: String
        init(from decoder: any Decoder) throws {
            var items = try decoder.unkeyedContainer()
            _ = try items.decode(Int.self)
            value = try items.decode(String.self)
        }
    }

    @Test(arguments: [
        (HasUndescribed.self as any Describable.Type, "CaseIterable"), (Misdescribed.self, "nmae"),
        (Tree.self, "contains itself"),
        (HasEmpty.self, "no cases"), (ByHand.self, "item by item"),
    ])
    private func whatCannotBeDescribedIsRefusedWithAWayOut(type: any Describable.Type, hint: String) {
        func describe<Value: Decodable>(_: Value.Type) throws -> JSONSchema { try JSONSchema(of: Value.self) }
        let error = #expect(throws: AgentError.self) { try describe(type) }
        #expect(error?.code == .misconfigured)
        #expect(error?.message.contains(hint) == true)
    }
}
