import Contract

/// The sections a run has read: all that its answer may rest on.
struct Passages: Sendable {
    /// A section, taken apart once for the checks to come.
    struct Passage: Sendable {
        let section: Section
        /// How well it fitted the question, 0 to 1; 0 when it was read for another reason.
        let coverage: Double
        let sentences: [Sentence]
        let headingWords: Set<String>
    }

    /// A sentence as it stands in its section, with its content words.
    struct Sentence: Sendable {
        let text: String
        let words: Set<String>
    }

    /// The most sections one run may read; each is at most some pages long.
    static let maximum = 60

    private(set) var all: [Passage] = []
    private var indexes: [Int: Int] = [:]

    /// Adds a section unless the run has it already.
    mutating func add(_ section: Section, coverage: Double = 0) {
        guard indexes[section.id] == nil, all.count < Self.maximum else { return }
        indexes[section.id] = all.count
        all.append(
            Passage(
                section: section,
                coverage: coverage,
                sentences: Sentences.of(section.text).map { Sentence(text: $0, words: Set(ContentWords.of($0))) },
                headingWords: Set(ContentWords.of(section.headings.joined(separator: " ")))
            )
        )
    }

    subscript(section: Int) -> Passage? {
        indexes[section].map { all[$0] }
    }
}

extension Passages.Passage {
    /// The words as they stand in the section, when the quote stands in it verbatim; only white space may differ.
    func verbatim(_ quote: String) -> String? {
        let text = Array(section.text.utf8)
        let sought = Self.collapsed(Array(quote.utf8))
        guard sought.count >= Self.shortestQuote, let first = sought.first else { return nil }
        var start = 0
        while start < text.count {
            if text[start] == first, let end = Self.match(sought, in: text, from: start) {
                return String(decoding: text[start..<end], as: UTF8.self)
            }
            start += 1
        }
        return nil
    }

    /// Fewer characters support nothing: `the` stands in every section.
    private static let shortestQuote = 8

    /// Matches from an index, one or more white space characters standing for a single space.
    private static func match(_ sought: [UInt8], in text: [UInt8], from start: Int) -> Int? {
        var index = start
        for byte in sought {
            guard index < text.count else { return nil }
            if byte == UInt8(ascii: " ") {
                guard isSpace(text[index]) else { return nil }
                while index < text.count, isSpace(text[index]) { index += 1 }
            } else {
                guard text[index] == byte else { return nil }
                index += 1
            }
        }
        return index
    }

    private static func collapsed(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        for byte in bytes {
            if !isSpace(byte) {
                result.append(byte)
            } else if let last = result.last, last != UInt8(ascii: " ") {
                result.append(UInt8(ascii: " "))
            }
        }
        if result.last == UInt8(ascii: " ") { result.removeLast() }
        return result
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x09 || byte == 0x0D
    }
}
