import Testing

@testable import Documents

@Suite("SourceText", .serialized)
struct SourceTextTests {
    private func text(_ bytes: [UInt8]) throws -> String {
        try Document(bytes, format: .html, name: "x.html").sections.map(\.text).joined(separator: "|")
    }

    @Test func brokenUTF8IsRepaired() throws {
        #expect(try text([0x61, 0xFF, 0x62, 0xC3]) == "a\u{FFFD}b\u{FFFD}")
        #expect(try text([0x61, 0xE2, 0x82, 0x62, 0xED, 0xA0, 0x80]).hasPrefix("a\u{FFFD}b"))
    }

    @Test func latin1IsReadWhereItIsDeclared() throws {
        let head = Array("<meta charset=\"ISO-8859-1\">".utf8)
        #expect(try text(head + [0xE9, 0x20, 0x93, 0x80]) == "é “€")
        #expect(try text(head + Array("é".utf8)) == "é")
        #expect(try text([0xE9]) == "\u{FFFD}")
    }

    @Test func utf16WithItsMarkIsRead() throws {
        #expect(try text([0xFF, 0xFE, 0x41, 0x00, 0xE9, 0x00]) == "Aé")
        #expect(try text([0xFE, 0xFF, 0x00, 0x41, 0x00, 0xE9, 0x00]) == "Aé")
        #expect(try text([0xFF, 0xFE]) == "")
    }

    @Test func nothingInvisibleIsLeft() throws {
        let source = "\u{FEFF}a\u{0}b\u{1B}c\u{85}d\u{AD}e\u{200B}f\u{A0}g\r\nh\ri\u{2028}j\u{7F}k\u{C}l" + filler
        #expect(try text(Array(source.utf8)).hasPrefix("abcdef g h i jk l"))
    }

    private var filler: String { String(repeating: " word", count: 40) }

    @Test func binaryIsRefused() {
        let bytes = (0..<512).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        #expect(throws: DocumentError.notText) { try Document(bytes, format: .markdown, name: "x.md") }
    }

    @Test func tooLargeIsRefused() {
        let bytes = [UInt8](repeating: 0x61, count: Document.byteLimit + 1)
        #expect(throws: DocumentError.tooLarge(limit: Document.byteLimit)) {
            try Document(bytes, format: .markdown, name: "x.md")
        }
    }
}
