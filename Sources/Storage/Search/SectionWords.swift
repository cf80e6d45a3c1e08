/// The words of a section with their weight there: BM25F (Robertson and Zaragoza, 2009), with each field saturating on its
/// own, so that one word in the heading outweighs any number of them in the text.
struct SectionWords {
    /// How much a word counts in the section's own heading, in those above it, and in its text.
    enum Weight {
        static let ownHeading: Float = 2.2
        static let otherHeading: Float = 0.6
        static let text: Float = 1
        /// On top of the text's, for a word one of its lines defines: as much as a first mention, so that where a
        /// function is explained comes before where it is used twice.
        static let definition: Float = 1.2
    }

    /// BM25's saturation and length correction.
    private static let k1: Float = 1.2
    private static let b: Float = 0.6
    /// A usual section's length in words. A constant, so that a book's weights need not change with other books.
    private static let usualLength: Float = 160

    private(set) var weights: [String: Float] = [:]

    init(headings: [String], text: String) {
        addHeading(headings.last ?? "", weight: Weight.ownHeading)
        let above = headings.dropLast().joined(separator: "\n")
        addHeading(above, weight: Weight.otherHeading, unlessKnown: true)
        addText(text)
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
        for word in Definitions.of(text) where counts[word] != nil { weights[word, default: 0] += Weight.definition }
        for (word, count) in counts {
            weights[word, default: 0] += Weight.text * count * (Self.k1 + 1) / (count + correction)
        }
    }
}
