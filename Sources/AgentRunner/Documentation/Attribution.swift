import Contract

/// Finds the sentence that carries a claim for which the model named no source, or a wrong one.
///
/// Small models write good sentences and forget to cite. What they took from a section they took with its words, so a
/// sentence that shares most of the claim's content words carries it; anything weaker does not count.
enum Attribution {
    /// The share of the claim's content words that one sentence, with its section's headings, must hold.
    private static let neededShare = 0.67
    /// A claim with fewer content words could be carried by anything.
    private static let fewestWords = 2

    static func support(
        for claim: String,
        in passages: Passages,
        near sections: [Int]
    ) -> (section: Section, quote: String)? {
        let words = Set(ContentWords.of(claim))
        guard words.count >= fewestWords else { return nil }
        var best: (section: Section, quote: String)?
        var bestShare = neededShare
        for passage in passages.all {
            // The section the model named is believed first among equals.
            let bonus = sections.contains(passage.section.id) ? 0.1 : 0
            for sentence in passage.sentences {
                let own = words.intersection(sentence.words).count
                // Headings may add words, but the sentence itself must hold at least half of what counts.
                guard own * 2 >= words.count, own >= fewestWords else { continue }
                let withHeadings = words.count { sentence.words.contains($0) || passage.headingWords.contains($0) }
                let share = (Double(own) + 0.5 * Double(withHeadings - own)) / Double(words.count) + bonus
                if share > bestShare || (best == nil && share >= bestShare) {
                    bestShare = share
                    best = (passage.section, sentence.text)
                }
            }
        }
        return best
    }
}
