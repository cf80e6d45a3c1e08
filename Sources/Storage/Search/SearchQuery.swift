/// What somebody typed, as the words to look up and what each is worth.
struct SearchQuery {
    /// Words of a query that are looked up. A long question has some dozens; a pasted page is cut.
    static let maximumWords = 64

    /// A word to look up.
    struct Term: Equatable {
        var word: String
        var factor: Double
        /// A misspelling of it may be meant: capitals and operators are taken literally.
        var mayBeMisspelt: Bool
    }

    let terms: [Term]
    /// The query in lower case with single spaces, to be found as it is; nil for a single word.
    let phrase: String?

    init(_ text: String) {
        let words = Words.of(text)
        let telling = words.filter { !StopWords.contains($0.text) }
        // "WHERE" or "in" alone is meant, not noise.
        let used = telling.contains(where: { $0.kind != .capitals }) ? telling : words
        var seen: Set<String> = []
        terms = used.prefix(Self.maximumWords).compactMap { word in
            guard seen.insert(word.text).inserted else { return nil }
            return Term(word: word.text, factor: Self.factor(word.kind), mayBeMisspelt: Self.mayBeMisspelt(word))
        }
        let lowered = text.lowercased().split(whereSeparator: { $0.isWhitespace || "?!.,;\"'".contains($0) })
        phrase = (2...6).contains(lowered.count) ? lowered.joined(separator: " ") : nil
    }

    /// The whole of a compound says more than its parts, which are looked up for texts that write them apart.
    private static func factor(_ kind: Words.Kind) -> Double {
        switch kind {
        case .plain: 1
        case .identifier, .function, .command: 1.3
        case .part: 0.35
        case .capitals: 0.5
        case .operation: 0.8
        }
    }

    private static func mayBeMisspelt(_ word: Words.Word) -> Bool {
        switch word.kind {
        case .plain, .identifier: word.text.utf8.count >= 4 && !word.text.utf8.allSatisfy { (0x30...0x39).contains($0) }
        default: false
        }
    }
}
