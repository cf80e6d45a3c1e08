import Contract
import Glibc

/// Orders what the index brought by what the index cannot see: words that stand together, headings that say just what was
/// asked and those that say more, pages that are about it as a whole, and pages that only record that something once
/// changed.
struct Ranking {
    /// Sections the index brings for ranking: as many as may be asked for. More let pages with many weak sections past those
    /// with a good one, and each costs the reading of its text.
    static let candidates = 50
    /// The part of a section's score that depends on how much of the query it holds: all words count more than some of
    /// them often. The rest keeps the best partial answer when nothing holds everything.
    static let coverageShare = 0.85

    /// What a heading earns that says exactly what was asked, letter by letter.
    private static let sameHeading = 0.3
    /// What a heading earns that has all the words of the query and no others; with fewer, or with more, it earns less.
    private static let fittingHeading = 0.4
    /// What the query's neighbouring words earn when they stand together in the text, and in the heading.
    private static let nearInText = 1.0
    private static let nearInHeading = 1.5
    /// What the headings above lose for words nobody asked for: a question without `ECPG` is seldom about ECPG.
    private static let otherMatters = 0.15
    /// What a page earns at most when several of its sections were brought: it is about the matter, not only mentioning it.
    private static let page = 0.4
    /// What each further section of a page keeps, so that one page does not fill the whole answer.
    private static let furtherOfPage = 0.75
    /// What release notes and the like keep: they mention everything and explain little.
    private static let ofBackMatter = 0.6

    private let phrase: String
    private let meaning: Meaning
    private let nearness: Nearness
    private let telling: Set<Int>
    private let backMatter: BackMatter

    init(_ query: SearchQuery, _ meaning: Meaning) {
        phrase = query.phrase
        self.meaning = meaning
        let telling = query.terms.indices.filter { query.terms[$0].tells }
        nearness = Nearness(of: telling, meaning: meaning)
        self.telling = Set(telling)
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
        let headings = candidate.headings.map(Heading.init)
        let name = headings.last?.name ?? ""
        let words = Self.words(of: name)
        var bonus = 1.0
        if name == phrase { bonus += Self.sameHeading }
        bonus += Self.fittingHeading * fit(words)
        bonus += max(
            Self.nearInText * nearness.share(of: candidate.text),
            Self.nearInHeading * nearness.share(of: name)
        )
        let above = headings.dropLast().reduce(into: Set<String>()) { $0.formUnion(Self.words(of: $1.name)) }
        let others = above.subtracting(words).count { meaning.term(of: $0) == nil }
        var worth = 1 - Self.coverageShare + Self.coverageShare * candidate.coverage
        worth *= bonus / (1 + Self.otherMatters * log(1 + Double(others)))
        return headings.contains(where: backMatter.contains) ? worth * Self.ofBackMatter : worth
    }

    /// The share of the heading's words that were asked for times the share of the query's that it has.
    private func fit(_ words: Set<String>) -> Double {
        guard !words.isEmpty, !telling.isEmpty else { return 0 }
        let uses = words.compactMap(meaning.use(of:))
        let asked = telling.intersection(uses.map(\.term))
        return uses.map(\.confidence).reduce(0, +) / Double(words.count) * Double(asked.count) / Double(telling.count)
    }

    private static func words(of heading: String) -> Set<String> {
        Set(
            Words.of(heading).filter { $0.kind == .plain || $0.kind == .part }.map(\.text)
                .filter { !StopWords.contains($0) }
        )
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
