/// The part of a section's text around the words that were looked for.
struct Excerpt {
    /// In bytes: about three lines on a page.
    static let length = 300
    /// How far before the first word an excerpt may begin, at the begin of a line or a sentence if there is one.
    private static let lead = 80

    let text: String
    /// The matched words as they stand in the excerpt and in the headings.
    let words: [String]

    init(of text: String, headings: [String], meaning: Meaning) {
        let found = Self.occurrences(in: text, meaning)
        let bytes = Array(text.utf8)
        let range = Self.range(around: Self.best(found), in: bytes, of: text)
        self.text = Self.cut(bytes, range)
        let inside = found.filter { range.contains($0.range.lowerBound) && $0.range.upperBound <= range.upperBound }
        let above = headings.reversed().flatMap { Self.occurrences(in: $0, meaning) }
        words = (inside + above).map(\.word).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    /// A word of the text that was looked for.
    private struct Occurrence {
        var word: String
        /// The place of the term it stands for.
        var term: Int
        var range: Range<Int>
    }

    /// Where the words stand. Of a compound the whole counts; its parts do only when the whole was not looked for.
    private static func occurrences(in text: String, _ meaning: Meaning) -> [Occurrence] {
        let utf8 = text.utf8
        var result: [Occurrence] = []
        var covered = 0
        for word in Words.of(text) where word.range.lowerBound >= covered {
            guard let term = meaning.term(of: word.text) else { continue }
            let start = utf8.index(utf8.startIndex, offsetBy: word.range.lowerBound)
            let end = utf8.index(start, offsetBy: word.range.count)
            result.append(Occurrence(word: String(text[start..<end]), term: term, range: word.range))
            covered = word.range.upperBound
        }
        return result
    }

    /// The stretch that holds the most different words, from its first word to its last.
    private static func best(_ found: [Occurrence]) -> Range<Int> {
        var best = (range: 0..<0, value: 0)
        for (index, first) in found.enumerated() {
            let limit = first.range.lowerBound + length - lead
            // More than some dozens of words do not fit.
            let together = found[index...].prefix(60).prefix { $0.range.upperBound <= limit }
            guard let last = together.last else { continue }
            let value = Set(together.map(\.term)).count * 10 + min(together.count, 9)
            if value > best.value { best = (first.range.lowerBound..<last.range.upperBound, value) }
        }
        return best.range
    }

    /// From the begin of the line or the sentence, else of a word, to the end of a word.
    private static func range(around words: Range<Int>, in bytes: [UInt8], of text: String) -> Range<Int> {
        let earliest = max(0, words.lowerBound - lead)
        var start = earliest
        if earliest > 0 {
            let before = max(earliest, 2)...words.lowerBound
            start =
                before.last {
                    bytes[$0 - 1] == newline || (bytes[$0 - 1] == space && ".?!".utf8.contains(bytes[$0 - 2]))
                }
                ?? before.first { isSpace(bytes[$0 - 1]) } ?? words.lowerBound
        }
        let latest = start + length
        guard latest < bytes.count else { return start..<bytes.count }
        let after = max(words.upperBound, start + 1)..<max(latest, words.upperBound + 1, start + 2)
        let end = after.last { $0 < bytes.count && isSpace(bytes[$0]) }
        return start..<(end ?? boundary(in: text, from: max(latest, words.upperBound)))
    }

    /// The text, its lines joined and runs of white space made one, with an ellipsis where something was left out.
    private static func cut(_ bytes: [UInt8], _ range: Range<Int>) -> String {
        let body = bytes[range].split(whereSeparator: isSpace).map { String(decoding: $0, as: UTF8.self) }
            .joined(separator: " ")
        return (range.lowerBound > 0 ? "… " : "") + body + (range.upperBound < bytes.count ? " …" : "")
    }

    /// The first place from here on where a character begins, to cut a text without spaces at.
    private static func boundary(in text: String, from offset: Int) -> Int {
        let utf8 = text.utf8
        var index = utf8.index(utf8.startIndex, offsetBy: offset)
        while index < utf8.endIndex, index.samePosition(in: text) == nil { index = utf8.index(after: index) }
        return utf8.distance(from: utf8.startIndex, to: index)
    }

    private static let newline = UInt8(ascii: "\n")
    private static let space = UInt8(ascii: " ")
    private static func isSpace(_ byte: UInt8) -> Bool { byte == space || byte == newline }
}
