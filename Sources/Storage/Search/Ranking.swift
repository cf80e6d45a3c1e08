import Contract

/// Orders what the index brought by what the index cannot see: words that stand together, headings that say just what was
/// asked, pages that are about it as a whole, and pages that only record that something once changed.
struct Ranking {
    /// Sections the index brings for ranking: as many as may be asked for. More let pages with many weak sections past those
    /// with a good one, and each costs the reading of its text.
    static let candidates = 50
    /// The part of a section's score that depends on how much of the query it holds: all words count more than some of
    /// them often. The rest keeps the best partial answer when nothing holds everything.
    static let coverageShare = 0.85

    /// What a heading earns that says exactly what was asked.
    private static let sameHeading = 0.3
    /// What the words earn when they stand together as typed, in the heading and in the text.
    private static let phraseInHeading = 0.5
    private static let phraseInText = 0.2
    /// What a page earns at most when several of its sections were brought: it is about the matter, not only mentioning it.
    private static let page = 0.4
    /// What each further section of a page keeps, so that one page does not fill the whole answer.
    private static let furtherOfPage = 0.8
    /// What release notes and the like keep: they mention everything and explain little.
    private static let ofBackMatter = 0.6

    private let phrase: String
    private let together: Phrase?
    private let backMatter: BackMatter

    init(_ query: SearchQuery) {
        phrase = query.phrase
        together = phrase.contains(" ") ? Phrase(phrase) : nil
        backMatter = BackMatter(askedFor: phrase)
    }

    /// The candidates, best first, with their final score.
    func order(_ candidates: [Candidate]) -> [Candidate] {
        var ranked = candidates
        for index in ranked.indices { ranked[index].score *= worth(ranked[index]) }
        addPages(&ranked)
        ranked.sort(by: Self.precedes)
        var seen: [Page: Int] = [:]
        for index in ranked.indices {
            let earlier = seen[Page(ranked[index]), default: 0]
            seen[Page(ranked[index])] = earlier + 1
            for _ in 0..<earlier { ranked[index].score *= Self.furtherOfPage }
        }
        return ranked.sorted(by: Self.precedes)
    }

    private struct Page: Hashable {
        var book: Int
        var file: String

        init(_ candidate: Candidate) {
            book = candidate.book.id
            file = candidate.file
        }
    }

    private static func precedes(_ first: Candidate, _ second: Candidate) -> Bool {
        (first.score, second.id) > (second.score, first.id)
    }

    private func worth(_ candidate: Candidate) -> Double {
        let heading = Heading(candidate.headings.last ?? "")
        var worth = 1 - Self.coverageShare + Self.coverageShare * candidate.coverage
        var bonus = 1.0
        if heading.name == phrase { bonus += Self.sameHeading }
        if let together, together.stands(in: heading.name) {
            bonus += Self.phraseInHeading
        } else if let together, together.stands(in: candidate.text) {
            bonus += Self.phraseInText
        }
        worth *= bonus
        return candidate.headings.contains { backMatter.contains(Heading($0)) } ? worth * Self.ofBackMatter : worth
    }

    /// Adds to each section's score by how much the others of its page have, up to three times the page's best.
    private func addPages(_ candidates: inout [Candidate]) {
        var pages: [Page: (best: Double, sum: Double)] = [:]
        for candidate in candidates {
            let known = pages[Page(candidate), default: (0, 0)]
            pages[Page(candidate)] = (max(known.best, candidate.score), known.sum + candidate.score)
        }
        for index in candidates.indices {
            guard let page = pages[Page(candidates[index])], page.best > 0 else { continue }
            let others = (page.sum - candidates[index].score) / (3 * page.best)
            candidates[index].score *= 1 + Self.page * min(1, others)
        }
    }
}
