import FoundationEssentials
import NIOCore
import Testing

@testable import Wire

@Suite(.serialized) struct JSONTests {
    private func reason(_ text: String) -> ProtocolViolation.Reason? {
        violation { () throws(ProtocolViolation) in _ = try JSON(validating: text) }
    }

    @Test func depthCountsFromTheOutermost() {
        func nested(_ levels: Int) -> String {
            String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        }
        #expect(reason(nested(32)) == nil)
        #expect(reason(nested(33)) == .tooDeep)
        #expect(reason(String(repeating: "[", count: 1_000_000)) == .tooDeep)
        #expect(reason(String(repeating: "{\"a\":", count: 1_000_000)) == .tooDeep)
    }

    @Test func keysAreCounted() {
        func object(_ keys: Int) -> String { "{" + (0..<keys).map { "\"k\($0)\":0" }.joined(separator: ",") + "}" }
        #expect(reason(object(4096)) == nil)
        #expect(reason(object(4097)) == .tooManyKeys)
        #expect(reason(object(100_000)) == .tooManyKeys)
        // The count is each object's own.
        #expect(reason("[\(object(3000)),\(object(3000))]") == nil)
    }

    @Test(arguments: [1, 2, 15, 16, 17, 18, 100, 4095])
    func aRepeatedKeyIsFoundAmongAnyNumber(_ count: Int) {
        let keys = (0..<count).map { "\"key-\($0)\":0" }
        for repeated in [0, count / 2, count - 1] {
            let plain = keys + ["\"key-\(repeated)\":1"]
            let escaped = keys + ["\"\\u006bey-\(repeated)\":1"]
            #expect(reason("{" + plain.joined(separator: ",") + "}") == .duplicateKey)
            #expect(reason("{" + escaped.joined(separator: ",") + "}") == .duplicateKey)
        }
        #expect(reason("{" + keys.joined(separator: ",") + "}") == nil)
    }

    @Test func everyTruncationOfAValueIsRefused() {
        let text = #"{"a":[1,-2.5e+3,"x\n\u00e9\ud83e\udd91é🦑",true,false,null,{"b":{}}]}"#
        #expect(reason(text) == nil)
        let octets = Array(text.utf8)
        for length in octets.indices {
            let cut = ByteBuffer(bytes: octets[..<length])
            #expect(violation { () throws(ProtocolViolation) in _ = try JSON(validating: cut) } != nil)
        }
    }

    @Test func everyOctetIsFoundAtEveryPlaceOfAWord() {
        // The scanner passes eight octets at a time: what it must not pass is put in each place.
        for bad in [0x00, 0x0A, 0x1F, 0x80, 0xC0, 0xFF] as [UInt8] {
            for place in 0..<24 {
                var octets = Array(("\"" + String(repeating: "a", count: 24) + "\"").utf8)
                octets[place + 1] = bad
                let text = ByteBuffer(bytes: octets)
                #expect(violation { () throws(ProtocolViolation) in _ = try JSON(validating: text) } != nil)
            }
        }
        for good in [0x20, 0x21, 0x23, 0x5B, 0x5D, 0x7F] as [UInt8] {
            let text = ByteBuffer(bytes: Array("\"".utf8) + Array(repeating: good, count: 24) + Array("\"".utf8))
            #expect(violation { () throws(ProtocolViolation) in _ = try JSON(validating: text) } == nil)
        }
    }

    @Test func membersAreSlices() throws {
        let json = try JSON(validating: #"{"a":{"b":[1, 2]},"\u0063":"x\"y","n":-7}"#)
        #expect(json.member("a")?.description == #"{"b":[1, 2]}"#)
        #expect(json.member("a")?.member("b")?.description == "[1, 2]")
        #expect(json.member("c")?.string == "x\"y")
        #expect(json.member("n")?.integer == -7)
        #expect(json.member("b") == nil)
        #expect(JSON.null.member("a") == nil)
    }

    @Test func stringsAreUnescaped() throws {
        let json = try JSON(validating: #""\"\\\/\b\f\n\r\t\u00e9\ud83e\udd91\uFFFFé""#)
        #expect(json.string == "\"\\/\u{8}\u{C}\n\r\té🦑\u{FFFF}é")
    }

    @Test func integersAreExactOrNone() {
        for (text, value) in [
            ("0", 0), ("-0", 0), ("9007199254740991", 9_007_199_254_740_991), ("9007199254740992", nil), ("1.0", nil),
            ("1e3", nil), ("\"1\"", nil), ("null", nil), ("-9007199254740991", -9_007_199_254_740_991),
        ] as [(String, Int?)] {
            #expect(JSON(trusted: text).integer == value)
        }
    }

    @Test func whatWouldBreakTheWireIsNotEncoded() {
        #expect(throws: EncodingError.self) { try JSON(encoding: [Double.nan]) }
    }

    @Test func objectsAreBuiltFromTexts() throws {
        #expect(JSON(object: [:]) == .emptyObject)
        let object = JSON(object: ["a": JSON(trusted: "1.10"), "b": JSON(string: "\"\n\0")])
        #expect(object.description == #"{"a":1.10,"b":"\"\n\u{FFFD}"}"#.replacing(#"\u{FFFD}"#, with: "\u{FFFD}"))
        _ = try JSON(validating: object.bytes)
    }

    @Test func pointsInTimeTravel() throws {
        let date = Date(timeIntervalSince1970: 1_732_299_600.25)
        #expect(try JSON(encoding: [date]).description == #"["2024-11-22T18:20:00.250Z"]"#)
        let spellings = [
            "2024-11-22T18:20:00.250Z", "2024-11-22T18:20:00.25+00:00", "2024-11-22T20:20:00.250000+02:00",
            "2024-11-22T18:20:00.250000+00:00",
        ]
        for text in spellings {
            let read = try JSON(trusted: "[\"\(text)\"]").decode([Date].self)
            #expect(abs(try #require(read.first).timeIntervalSince(date)) < 0.000_5, "\(text)")
        }
        #expect(
            try JSON(trusted: #"["2024-11-22T18:20:00Z"]"#).decode([Date].self).first?.timeIntervalSince1970
                == 1_732_299_600
        )
        #expect(throws: DecodingError.self) { try JSON(trusted: #"["yesterday"]"#).decode([Date].self) }
    }

    @Test func aJSONMemberOfACodableTypeKeepsItsValue() throws {
        struct Box: Codable, Equatable { var payload: JSON }
        let text = #"{"payload":{"a":[1,2.5,"x",null,true,{"b":{}}]}}"#
        let box = try JSON(trusted: text).decode(Box.self)
        #expect(try JSON(encoding: box).description == text)
    }

    /// What the scanner takes, the decoder reads; what it refuses as malformed, the decoder refuses too.
    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func theScannerAgreesWithTheDecoder(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<600 {
            var octets = Array(randomValue(depth: 4, &generator).utf8)
            for _ in 0..<Int.random(in: 0...2, using: &generator) where !octets.isEmpty {
                mutate(&octets, &generator)
            }
            let text = ByteBuffer(bytes: octets)
            let reason = violation { () throws(ProtocolViolation) in _ = try JSON(validating: text) }
            let decoded = try? JSON(trusted: text).decode(AnyValue.self)
            switch reason {
            case nil:
                #expect(decoded != nil, "accepted, but not decoded: \(String(buffer: text))")
            case .syntax, .number, .loneSurrogate, .invalidUTF8:
                #expect(decoded == nil, "refused, but decoded: \(String(buffer: text))")
            default: break
            }
        }
    }

    /// What was checked is taken apart as the check saw it, and what was not leads nowhere else.
    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func theOutlineIsThatOfTheText(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<400 {
            let inner = (0..<Int.random(in: 0...5, using: &generator)).map { _ in randomValue(depth: 3, &generator) }
            let keys = inner.indices.map { $0.isMultiple(of: 3) ? "\\u006b\($0)" : "é\($0)" }
            let object = JSON(
                trusted: "{" + zip(keys, inner).map { "\"\($0)\" : \($1)" }.joined(separator: " , ") + "}"
            )
            let names = inner.indices.map { $0.isMultiple(of: 3) ? "k\($0)" : "é\($0)" }
            let members = try #require(object.members)
            #expect(members.map(\.key) == names)
            #expect(members.map { trimmed($0.value.description) } == inner.map(trimmed))
            #expect(names.allSatisfy { name in object.member(name) == members.first { $0.key == name }?.value })
            let array = try JSON(validating: "[" + inner.joined(separator: ", ") + "]")
            #expect(array.elements?.map { trimmed($0.description) } == inner.map(trimmed))

            var octets = Array(object.description.utf8)
            for _ in 0..<3 where !octets.isEmpty { mutate(&octets, &generator) }
            let broken = JSON(trusted: ByteBuffer(bytes: octets))
            _ = (broken.members, broken.elements, broken.member("k0"))
        }
    }

    private func trimmed(_ text: String) -> String { String(text.reversed().drop { $0 == " " }.reversed()) }

    private func mutate(_ octets: inout [UInt8], _ generator: inout SeededGenerator) {
        let alphabet = Array("0123456789 {}[]\"\\:,.+-eEu/tfn".utf8) + [0x80, 0xC3, 0xE2, 0xED, 0xF0, 0xFF]
        let place = octets.indices.randomElement(using: &generator) ?? 0
        let octet = alphabet.randomElement(using: &generator) ?? 0
        switch Int.random(in: 0...2, using: &generator) {
        case 0: octets[place] = octet
        case 1: octets.insert(octet, at: place)
        default: octets.remove(at: place)
        }
    }

    private func randomValue(depth: Int, _ generator: inout SeededGenerator) -> String {
        switch Int.random(in: 0...(depth > 0 ? 9 : 6), using: &generator) {
        case 0: return "null"
        case 1: return Bool.random(using: &generator) ? "true" : "false"
        case 2: return "\(Int.random(in: -1000...1000, using: &generator))"
        case 3: return "\(Int.random(in: -9...9, using: &generator)).\(Int.random(in: 0...99, using: &generator))e-3"
        case 4...6:
            let parts = ["", "a", "é", "🦑", "\\n", "\\u00e9", "\\ud83e\\udd91", "\\\\", " ", "longer than a word"]
            return "\"" + (0..<3).map { _ in parts.randomElement(using: &generator) ?? "" }.joined() + "\""
        case 7, 8:
            let count = Int.random(in: 0...4, using: &generator)
            return "[" + (0..<count).map { _ in randomValue(depth: depth - 1, &generator) }.joined(separator: ",") + "]"
        default:
            let count = Int.random(in: 0...4, using: &generator)
            let members = (0..<count).map { "\"k\($0)\":" + randomValue(depth: depth - 1, &generator) }
            return "{" + members.joined(separator: " ,") + "}"
        }
    }
}

@Suite(.serialized) struct TraceParentTests {
    @Test func aValueIsReadAndWrittenAgain() throws {
        let text = "00-0af7651916cd43dd8448eb211c80319c-00ad6b7169203331-01"
        let trace = try #require(TraceParent(text))
        #expect(trace.description == text)
        #expect(trace.traceID == "0af7651916cd43dd8448eb211c80319c")
        #expect(trace.spanID == "00ad6b7169203331")
    }

    @Test func noTwoIdsAreTheSame() {
        let traces = (0..<10_000).map { _ in TraceParent() }
        #expect(Set(traces.flatMap { [$0.traceID, $0.spanID] }).count == 20_000)
    }

    @Test func aHopKeepsTheTraceAndMakesItsOwnSpan() {
        let trace = TraceParent()
        let next = trace.nextHop()
        #expect(next.traceID == trace.traceID)
        #expect(next.spanID != trace.spanID)
        #expect(TraceParent(next.description) == next)
    }

    @Test func whetherATraceIsKeptGoesAlong() throws {
        let kept = try #require(TraceParent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03"))
        #expect(kept.isSampled && kept.nextHop().isSampled && kept.chance == 0x8448_eb21_1c80_319c)
        #expect(kept.child(1).description == "00-0af7651916cd43dd8448eb211c80319c-0000000000000001-03")
        #expect(!TraceParent().isSampled && TraceParent(isSampled: true).isSampled)
    }

    @Test(arguments: [
        "", "00", "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
        "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
        "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ])
    func aMalformedValueIsNone(_ text: String) {
        #expect(TraceParent(text) == nil)
    }
}
