import FoundationEssentials
import Testing

@testable import Wire

/// What is read and written without Foundation's coders is what these would have read and written.
@Suite struct ObjectCoderTests {
    struct Inner: Codable, Equatable {
        var number: Int
        var text: String?
    }

    struct Outer: Codable, Equatable {
        var zebra: Int
        var Apple: String
        var a10: Bool
        var a2: Inner
        var names: [String: Int]
        var absent: Int?
    }

    struct Foreign: Codable, Equatable {
        var list: [Int]
        var ratio: Float
    }

    struct Measured: Codable, Equatable {
        var ratio: Double
        var ratios: [Double?]
        var date: Date
        var dates: [Date?]
        var absent: Date?
    }

    static let texts = [
        "", "plain", "a/b", #"quote " and \ "#, "tab\tline\nreturn\r", "\u{1}\u{1f}\u{7f}", "\u{8}\u{c}",
        "Grüße 🎉 \u{2028}",
        "e\u{301}",
    ]

    @Test(arguments: texts) func anObjectIsWrittenAsFoundationWouldAndReadAgain(text: String) throws {
        let value = Outer(
            zebra: -7,
            Apple: text,
            a10: true,
            a2: Inner(number: 1 << 53 - 1, text: text),
            names: [text: 1, "two": 2]
        )
        let json = try #require(ObjectEncoder.encode(value))
        #expect(json.description == String(decoding: try JSON.encoder.encode(value), as: UTF8.self))
        #expect(ObjectDecoder.decode(Outer.self, from: json) == value)
        #expect(try JSON.decoder.decode(Outer.self, from: Data(json.description.utf8)) == value)
    }

    enum Colour: String, Codable {
        case red, green
    }

    struct Listing: Codable, Equatable {
        var colours: [Colour]
        var inner: [Inner]
        var lists: [[Int]]
        var gaps: [String?]
        var id: UUID
        var colour: Colour
        var any: JSON
    }

    @Test func listsAndValuesOfOneTextAreWrittenAsFoundationWouldAndReadAgain() throws {
        let value = Listing(
            colours: [.green, .red],
            inner: [Inner(number: 1, text: "a"), Inner(number: 2)],
            lists: [[], [1, 2]],
            gaps: [nil, "b"],
            id: try #require(UUID(uuidString: "0198F2B4-0000-7000-8000-000000000001")),
            colour: .red,
            any: try JSON(validating: #"[1,{"a":null}]"#)
        )
        let json = try #require(ObjectEncoder.encode(value))
        #expect(json.description == String(decoding: try JSON.encoder.encode(value), as: UTF8.self))
        #expect(ObjectDecoder.decode(Listing.self, from: json) == value)
    }

    struct Tree: Codable, Equatable {
        var name: String
        var leaves: [Int]
        var branches: [Tree]
        var twigs: [String: Tree]
    }

    @Test(arguments: [1, 31, 32, 33, 200]) func manyMembersAndWhatIsNestedAreWrittenAsFoundationWould(count: Int) throws
    {
        let leaf = Tree(name: "é", leaves: [1, 2], branches: [], twigs: [:])
        let twigs = (0..<count).map { ("k\($0 * 7919 % count)", leaf) }
        let branch = Tree(
            name: "b",
            leaves: [],
            branches: [leaf, leaf],
            twigs: Dictionary(uniqueKeysWithValues: twigs)
        )
        let value = Tree(name: "a", leaves: [3], branches: [leaf, branch], twigs: ["z": branch, "a": leaf])
        let json = try #require(ObjectEncoder.encode(value))
        #expect(json.description == String(decoding: try JSON.encoder.encode(value), as: UTF8.self))
        #expect(try json.decode(Tree.self) == value)
    }

    /// What a type catches was begun, and must leave nothing behind.
    @Test func aPartThatFailsLeavesTheWholeToFoundation() throws {
        struct Lenient: Encodable {
            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: Key.self)
                try? container.encode([Double.nan], forKey: .a)
            }
        }
        struct Outer: Encodable { var one = Lenient(); var two = 2 }
        #expect(ObjectEncoder.encode(Outer()) == nil)
    }

    @Test func whatTheWireWouldRefuseIsLeftToFoundation() throws {
        struct Twice: Encodable {
            func encode(to encoder: any Encoder) throws {
                for value in 1...2 {
                    var container = encoder.container(keyedBy: Key.self)
                    try container.encode(value, forKey: .a)
                }
            }
        }
        #expect(ObjectEncoder.encode(Twice()) == nil)
        #expect(try JSON(encoding: Twice()).description == #"{"a":2}"#)
        let many = Dictionary(uniqueKeysWithValues: (0...Limits.keysPerObject).map { ("\($0)", 1) })
        #expect(throws: ProtocolViolation.self) { try JSON(encoding: many) }
        #expect(ObjectEncoder.encode(["a\0": 1]) == nil)
    }

    @Test func whatFoundationWritesInItsOwnWayIsLeftToIt() throws {
        struct Page: Codable, Equatable { var url: URL; var bytes: Data }
        let page = Page(url: try #require(URL(string: "https://example.com/a")), bytes: Data())
        #expect(ObjectEncoder.encode(page) == nil)
        #expect(try JSON(encoding: page).description == #"{"bytes":"","url":"https://example.com/a"}"#)
    }

    static let numbers: [Double] = [
        0, -0.0, 1, -1, 0.5, 0.1, 1 / 3, 1e15, 1e16, 123_456_789.125, 1e300, -Double.leastNonzeroMagnitude,
        .greatestFiniteMagnitude,
    ]

    @Test(arguments: numbers) func numbersAndTimesAreWrittenAsFoundationWouldAndReadAgain(number: Double) throws {
        let date = Date(timeIntervalSince1970: 1_732_299_600 + number.truncatingRemainder(dividingBy: 1e6))
        let value = Measured(ratio: number, ratios: [nil, -number], date: date, dates: [date, nil])
        let json = try #require(ObjectEncoder.encode(value))
        let foundations = try JSON.encoder.encode(value)
        #expect(json.description == String(decoding: foundations, as: UTF8.self))
        let read = try #require(ObjectDecoder.decode(Measured.self, from: json))
        #expect(try read == JSON.decoder.decode(Measured.self, from: foundations))
        #expect(read.ratio == number)
    }

    @Test(arguments: ["1e999", "-2.5e-999", "\"1\"", "null", "true", "[]"])
    func whatIsNoNumberIsLeftToFoundation(text: String) throws {
        struct Ratio: Codable { var ratio: Double }
        let json = try JSON(validating: #"{"ratio":\#(text)}"#)
        #expect(ObjectDecoder.decode(Ratio.self, from: json) == nil)
        #expect(throws: DecodingError.self) { try json.decode(Ratio.self) }
    }

    @Test(arguments: [Double.nan, .infinity]) func aNumberThatIsNoneIsLeftToFoundation(number: Double) {
        #expect(ObjectEncoder.encode(["a": number]) == nil)
        #expect(ObjectEncoder.encode(["a": [number]]) == nil)
    }

    @Test(arguments: [#"{"colours":["blue"]}"#, #"{"colours":{}}"#, #"{"colours":[1]}"#, #"{"colours":[null]}"#])
    func aListThatIsWrongIsLeftToFoundation(text: String) throws {
        struct Colours: Codable { var colours: [Colour] }
        let json = try JSON(validating: text)
        #expect(ObjectDecoder.decode(Colours.self, from: json) == nil)
        #expect(throws: DecodingError.self) { try json.decode(Colours.self) }
    }

    /// What tools and models say may hold it: a run would be lost for it.
    @Test func aCharacterThatMayNotTravelIsReplacedWhoeverWrites() throws {
        struct Measured: Encodable { var text: String, ratio: Double }
        #expect(try JSON(encoding: ["text": "a\u{0}b"]).description == #"{"text":"a\#u{FFFD}b"}"#)
        let measured = try JSON(encoding: Measured(text: "a\u{0}b", ratio: 0.5))
        #expect(measured.description == #"{"ratio":0.5,"text":"a\#u{FFFD}b"}"#)
    }

    @Test func whatIsNestedTooDeeplyIsRefused() throws {
        indirect enum Deep: Encodable {
            case end
            case inner(Deep)

            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: ObjectCoderTests.Key.self)
                if case .inner(let deep) = self { try container.encode(deep, forKey: .a) }
            }
        }
        let deep = (0..<Limits.nesting + 1).reduce(Deep.end) { deep, _ in .inner(deep) }
        #expect(throws: ProtocolViolation.self) { try JSON(encoding: deep) }
    }

    enum Key: String, CodingKey { case a }

    @Test func whatIsNoSuchObjectIsLeftToFoundation() throws {
        let value = Foreign(list: [1, 2], ratio: 0.5)
        #expect(ObjectEncoder.encode(value) == nil)
        #expect(ObjectEncoder.encode([1]) == nil)
        #expect(ObjectEncoder.encode("text") == nil)
        let json = try JSON(encoding: value)
        #expect(ObjectDecoder.decode(Foreign.self, from: json) == nil)
        #expect(try json.decode(Foreign.self) == value)
    }

    @Test(arguments: [
        #"{"number":"1"}"#, #"{"number":1.5}"#, #"{"number":null}"#, #"{}"#, #"[]"#,
        #"{"number":99999999999999999999}"#,
        #"{"number":1,"text":7}"#,
    ])
    func theErrorIsFoundations(text: String) throws {
        let json = try JSON(validating: text)
        #expect(ObjectDecoder.decode(Inner.self, from: json) == nil)
        #expect(throws: DecodingError.self) { try json.decode(Inner.self) }
    }

    @Test func numbersBeyondTheProtocolsAreReadAsBefore() throws {
        #expect(try JSON(trusted: #"{"number":9007199254740993}"#).decode(Inner.self).number == 9_007_199_254_740_993)
        #expect(try JSON(trusted: #"{"number":1.0}"#).decode(Inner.self).number == 1)
    }

    /// A type may ask for what is not there and go on; it must not go on because of what only Foundation can read.
    @Test func aTypeThatCatchesErrorsMissesNothing() throws {
        struct Lenient: Decodable {
            var list: [Int]
            enum CodingKeys: CodingKey { case list }
            init(from decoder: any Decoder) throws {
                list = (try? decoder.container(keyedBy: CodingKeys.self).decode([Int].self, forKey: .list)) ?? []
            }
        }
        #expect(try JSON(trusted: #"{"list":[1,2]}"#).decode(Lenient.self).list == [1, 2])
    }

    @Test func jsonWithinAnObjectKeepsItsText() throws {
        struct Envelope: Codable { var value: JSON }
        let text = #"{"value":{"b":1.50,"a":[1e2, null]}}"#
        let json = try JSON(validating: text)
        #expect(try JSON(encoding: json.decode(Envelope.self)).description == text)
    }

    @Test func levelsOfNestingAddUp() throws {
        struct Envelope: Codable { var value: JSON }
        let deep = String(repeating: "[", count: Limits.nesting) + String(repeating: "]", count: Limits.nesting)
        let value = Envelope(value: try JSON(validating: deep))
        #expect(throws: (any Error).self) { try JSON(encoding: value) }
    }
}
