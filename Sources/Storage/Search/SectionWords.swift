/// The words of a section with their weight there: BM25F (Robertson and Zaragoza, 2009), with each field saturating on its
/// own, so that one word in the heading outweighs any number of them in the text.
struct SectionWords {
    /// Grows with every change of the words or weights that come of a section: documents stored by an older one are stored
    /// anew when they are imported again.
    static let version = 2

    /// How much a word counts in the section's own heading, in those above it, and in its text.
    enum Weight {
        static let ownHeading: Float = 2.2
        static let otherHeading: Float = 0.6
        static let text: Float = 1
        /// On top of the text's, for a word one of its lines defines: as much as a first mention, so that where a
        /// function is explained comes before where it is used twice.
        static let definition: Float = 1.2
        /// The same for one that is introduced by its signature: nowhere else stands what it takes and gives.
        static let signature: Float = 2.4
        /// On top of the text's, for the words of the first sentence, which says what the rest is about.
        static let lead: Float = 0.6
        /// At least, for the words of the page's first sentence: `REVOKE — remove access privileges`.
        static let pageLead: Float = 0.6
    }

    /// BM25's saturation and length correction.
    private static let k1: Float = 1.2
    private static let b: Float = 0.5
    /// A usual section's length in words. A constant, so that a book's weights need not change with other books.
    private static let usualLength: Float = 160

    private(set) var weights: [String: Float] = [:]

    /// - Parameter pageBegin: The text of the page's first section.
    init(headings: [String], text: String, pageBegin: String = "") {
        addHeading(headings.last ?? "", weight: Weight.ownHeading)
        let above = headings.dropLast().joined(separator: "\n")
        addHeading(above, weight: Weight.otherHeading, unlessKnown: true)
        addText(text)
        for (word, weight) in Self.lead(of: text, weight: Weight.lead) { weights[word, default: 0] += weight }
        for (word, weight) in Self.lead(of: pageBegin, weight: Weight.pageLead) {
            weights[word] = max(weight, weights[word] ?? 0)
        }
    }

    private mutating func addHeading(_ heading: String, weight: Float, unlessKnown: Bool = false) {
        let words = Words.of(heading)
        let length = Float(words.count { $0.kind == .plain && !StopWords.contains($0.text) })
        // A short heading is about its words; in a long one each says less.
        let share = weight / (1 + 0.12 * max(0, length - 2))
        for word in Set(words.map(\.text)) {
            // A stop word may be what a heading is about, seldom what somebody asks about.
            let value = StopWords.contains(word) ? share / 4 : share
            if unlessKnown, weights[word] != nil { continue }
            weights[word, default: 0] += value
        }
    }

    private mutating func addText(_ text: String) {
        let words = Words.of(text)
        let length = Float(words.count { $0.kind == .plain || $0.kind == .part })
        let correction = Self.k1 * (1 - Self.b + Self.b * length / Self.usualLength)
        var counts: [String: Float] = [:]
        for word in words where !StopWords.contains(word.text) {
            counts[word.text, default: 0] += word.kind == .part ? 0.7 : 1
        }
        let definitions = Definitions(in: text)
        for word in definitions.names where counts[word] != nil { weights[word, default: 0] += Weight.definition }
        for word in definitions.signatures where counts[word] != nil { weights[word, default: 0] += Weight.signature }
        for (word, count) in counts {
            weights[word, default: 0] += Weight.text * count * (Self.k1 + 1) / (count + correction)
        }
    }

    /// The words of a text's first sentence, and what each is worth there: less in a long one.
    private static func lead(of text: String, weight: Float) -> [String: Float] {
        let words = Words.of(String(firstSentence(of: text))).map(\.text).filter { !StopWords.contains($0) }
        let share = weight / (1 + 0.05 * Float(max(0, words.count - 8)))
        return Dictionary(words.map { ($0, share) }, uniquingKeysWith: { first, _ in first })
    }

    /// Of the first line, up to a stop or a colon with a space behind it, and no more than a long sentence.
    private static func firstSentence(of text: String) -> Substring {
        let line = text.utf8.prefix { $0 != UInt8(ascii: "\n") }.prefix(300)
        let ends = zip(line.indices, line.indices.dropFirst()).first { sign, next in
            line[next] == UInt8(ascii: " ") && ".:".utf8.contains(line[sign])
        }
        return Substring(line[..<(ends?.0 ?? line.endIndex)])
    }
}
