/// Orders what the index brought by what the index cannot see: how much of the query a section holds, and whether it holds
/// the words together.
struct Ranking {
    /// Sections the index brings for ranking. Wanted ones beyond were not seen in any trial.
    static let candidates = 60

    let query: SearchQuery

    /// The candidates, best first, with their final score.
    func order(_ candidates: [Candidate]) -> [Candidate] {
        candidates.map { candidate in
            var ranked = candidate
            ranked.score = score(candidate)
            return ranked
        }.sorted { ($0.score, -$0.id) > ($1.score, -$1.id) }
    }

    private func score(_ candidate: Candidate) -> Double {
        // All words count more than some of them often.
        var score = candidate.score * (0.35 + 0.65 * candidate.coverage)
        if let phrase = query.phrase {
            let heading = (candidate.headings.last ?? "").lowercased()
            if heading.contains(phrase) {
                score *= 1.5
            } else if candidate.text.lowercased().contains(phrase) {
                score *= 1.2
            }
        }
        score *= headingShare(candidate)
        return score
    }

    /// A heading made of the query's words and few others is about them: `CREATE INDEX` before `Indexes and Collations`.
    private func headingShare(_ candidate: Candidate) -> Double {
        let heading = Words.of(candidate.headings.last ?? "").filter { $0.kind == .plain || $0.kind == .identifier }
            .map(\.text).filter { !StopWords.contains($0) }
        guard !heading.isEmpty else { return 1 }
        let wanted = Set(query.terms.map(\.word))
        let matched = heading.count(where: wanted.contains)
        return 1 + 0.25 * Double(matched) / Double(heading.count)
    }
}
