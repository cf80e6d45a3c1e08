/// The part of a section's text around the words that were looked for.
struct Excerpt {
    /// About three lines on a page.
    private static let length = 300

    let text: String
    /// The matched words as they stand in the excerpt and in the headings.
    let words: [String]

    init(of text: String, headings: [String], terms: [SearchQuery.Term], stems: Set<String>) {
        let wanted = Set(terms.map(\.word)).union(stems)
        let found = Self.occurrences(in: text, wanted)
        let range = Self.best(found, in: text)
        self.text = Self.cut(text, range)
        let headingWords = Self.occurrences(in: headings.joined(separator: " \n "), wanted).map(\.word)
        let inside = found.filter { range.overlaps($0.range) }.map(\.word)
        words = (inside + headingWords).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    private struct Occurrence {
        var word: String
        var key: String
        var range: Range<Int>
    }

    /// Where the words stand, in UTF-8 offsets. An inflected form counts when it begins with a stem: the stemmer cuts
    /// endings, so the comparison is right but for a few irregular words, and needs no dictionary.
    private static func occurrences(in text: String, _ wanted: Set<String>) -> [Occurrence] {
        var result: [Occurrence] = []
        let bytes = Array(text.utf8)
        var index = 0
        while index < bytes.count {
            guard isWord(bytes[index]) else {
                index += 1
                continue
            }
            let start = index
            while index < bytes.count, isWord(bytes[index]) { index += 1 }
            let word = String(decoding: bytes[start..<index], as: UTF8.self)
            let lowered = word.lowercased()
            if let key = key(of: lowered, wanted) { result.append(Occurrence(word: word, key: key, range: start..<index)) }
        }
        return result
    }

    private static func key(of word: String, _ wanted: Set<String>) -> String? {
        if wanted.contains(word) { return word }
        guard word.utf8.count > 3 else { return nil }
        var stem = Substring(word)
        for _ in 0..<min(5, word.utf8.count - 3) {
            stem = stem.dropLast()
            if wanted.contains(String(stem)) { return String(stem) }
        }
        // `query` is cut to `queri`, which no form of the word begins with.
        if word.hasSuffix("y"), wanted.contains(word.dropLast() + "i") { return word }
        return nil
    }

    /// The stretch that holds the most different words.
    private static func best(_ found: [Occurrence], in text: String) -> Range<Int> {
        let count = text.utf8.count
        guard !found.isEmpty else { return 0..<min(count, length) }
        var best = (start: 0, value: -1)
        for (index, first) in found.enumerated() {
            let end = first.range.lowerBound + length - 60
            var keys: Set<String> = []
            var total = 0
            for other in found[index...].prefix(40) {
                guard other.range.upperBound <= end else { break }
                keys.insert(other.key)
                total += 1
            }
            let value = keys.count * 10 + min(total, 9)
            if value > best.value { best = (first.range.lowerBound, value) }
        }
        let start = max(0, best.start - 60)
        return start..<min(count, start + length)
    }

    /// Cuts at white space and at character boundaries, with an ellipsis where something was left out.
    private static func cut(_ text: String, _ range: Range<Int>) -> String {
        let utf8 = text.utf8
        func boundary(_ offset: Int) -> String.Index {
            var index = utf8.index(utf8.startIndex, offsetBy: offset)
            while index < text.endIndex, index.samePosition(in: text) == nil { index = utf8.index(after: index) }
            return index
        }
        var start = boundary(range.lowerBound)
        var end = boundary(range.upperBound)
        if range.lowerBound > 0, let space = text[start..<end].firstIndex(where: \.isWhitespace) { start = text.index(after: space) }
        if range.upperBound < utf8.count, let space = text[start..<end].lastIndex(where: \.isWhitespace) { end = space }
        let body = text[start..<end].split(separator: "\n").joined(separator: " ")
        return (start > text.startIndex ? "… " : "") + body + (end < text.endIndex ? " …" : "")
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), 0x80...: true
        default: false
        }
    }
}
