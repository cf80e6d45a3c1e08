import Contract

/// Finds the statement that carries a claim for which the model named no source, or a wrong one.
///
/// Small models write good sentences and forget to cite. What they took from a section they took with its words, so a
/// statement that shares most of the claim's content words carries it; anything weaker does not count.
enum Attribution {
    /// The share of the claim's content words that one statement, with its section's headings, must hold.
    private static let neededShare = 0.67
    /// A claim with fewer content words could be carried by anything.
    private static let fewestWords = 2
    private static let negations: Set<String> = ["not", "no", "never", "cannot", "without", "neither", "nor", "t"]

    static func support(
        for claim: String,
        in passages: Passages,
        near sections: [Int]
    ) -> (section: Section, quote: String)? {
        let words = Set(ContentWords.of(claim))
        guard words.count >= fewestWords else { return nil }
        // Numbers and names are the claim itself: with others it would be another one.
        let exact = words.filter { $0.contains(where: \.isNumber) || $0.contains("_") }
        let isNegated = negates(claim)
        var best: (section: Section, quote: String)?
        var bestShare = 0.0
        for passage in passages.all {
            let named = passage.headingWords.union(passage.outerHeadingWords)
            // The section the model named is believed first among equals.
            let bonus = sections.contains(passage.section.id) ? 0.1 : 0
            for statement in passage.statements where statement.kind != .label {
                let own = words.intersection(statement.wordSet)
                // Headings may add words, but the statement itself must hold at least half of what counts.
                guard own.count * 2 >= words.count, own.count >= fewestWords else { continue }
                let fromHeadings = words.subtracting(own).intersection(named)
                guard exact.subtracting(own).isSubset(of: named) else { continue }
                let share = (Double(own.count) + 0.5 * Double(fromHeadings.count)) / Double(words.count) + bonus
                guard share >= neededShare, share > bestShare, negates(statement.text) == isNegated else { continue }
                bestShare = share
                best = (passage.section, String(statement.text))
            }
        }
        return best
    }

    /// Whether a text says that something is not so; a claim that does and a statement that does not say opposite things.
    private static func negates(_ text: some StringProtocol) -> Bool {
        ContentWords.all(in: text).contains(where: negations.contains)
    }
}
