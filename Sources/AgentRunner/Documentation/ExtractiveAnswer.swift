import Contract

/// Answers by quoting: the best statements of what was read, each with its mark. What the built-in `extractive` model
/// says, so that Octavo works with no key and no network.
struct ExtractiveAnswer {
    /// Where a statement stands, and what it is worth as an answer.
    struct Candidate {
        var passage: Int
        var statement: Int
        /// How much of the question it holds together with its paragraph and headings, 0 to 1.
        var held: Double
        var score: Double
    }

    /// What a statement must hold of the question, with its paragraph and headings, to be an answer to it.
    static let neededShare = 0.6
    /// A statement below this share of the best one's score is said because there was room, not because it answers; one of
    /// another section leads away more easily.
    private static let worthAdding = 0.8
    private static let worthAddingFromElsewhere = 0.92
    /// One that says what the best one leaves out may be worth less.
    private static let worthCompleting = 0.6
    /// Less is more: two statements and what they need to be understood.
    private static let mostStatements = 2

    private let passages: [Passages.Passage]
    private let statements: [Statement]
    private let inquiry: Inquiry
    /// The question as it would stand in an example of asking it, which answers nothing; each line of it by itself.
    private let echoes: [String]
    /// Names that a section, or what is said in it, has to hold.
    private let about: Set<String>

    init(question: String, about: Set<String> = [], passages: Passages) {
        echoes = question.split(whereSeparator: \.isNewline).map(Self.plain).filter { $0.contains(" ") }
        self.about = about
        self.passages = passages.all
        statements = passages.all.flatMap(\.statements)
        inquiry = Inquiry(question, among: statements)
    }

    /// The answer with its marks; nil when nothing read speaks for one.
    func text() -> String? {
        let chosen = inquiry.kind == .difference ? chooseDifference() : choose()
        guard !chosen.isEmpty else { return nil }
        var quotations: [Quotation] = []
        for candidate in chosen {
            let quotation = Quotation(
                candidate.statement,
                in: passages[candidate.passage],
                of: candidate.passage,
                for: inquiry
            )
            guard !quotations.contains(where: { $0.overlaps(quotation) }) else { continue }
            quotations.append(quotation)
        }
        // The best section first, and what stands in one section in its order.
        let ranks = quotations.map(\.rank)
        func place(_ quotation: Quotation) -> (Int, Int) {
            (ranks.firstIndex(of: quotation.rank) ?? 0, quotation.range.lowerBound)
        }
        let inOrder = quotations.sorted { place($0) < place($1) }
        return inOrder.indices.map { index in
            inOrder[index].marked(named: index == 0 || inOrder[index - 1].rank != inOrder[index].rank)
        }.joined(separator: "\n\n")
    }

    /// The best statements that add something to each other, best first.
    func choose() -> [Candidate] {
        let candidates = rated().filter { $0.held >= Self.neededShare && !repeatsQuestion($0) && isAboutIt($0) }
            .sorted { $0.score > $1.score }
        guard let top = candidates.first else { return [] }
        if let rest = completing(top, among: candidates) { return [top, rest] }
        var chosen: [Candidate] = []
        var covered: Set<String> = []
        for candidate in candidates {
            let isElsewhere = candidate.passage != top.passage
            // One definition is enough.
            if isElsewhere, !chosen.isEmpty, inquiry.kind == .definition { continue }
            let needed = isElsewhere ? Self.worthAddingFromElsewhere : Self.worthAdding
            guard chosen.count < Self.mostStatements else { break }
            guard candidate.score >= top.score * needed else { continue }
            let words = passages[candidate.passage].statements[candidate.statement].wordSet
            // What repeats the words already said says nothing new.
            guard chosen.isEmpty || words.intersection(covered).count * 5 < words.count * 4 else { continue }
            covered.formUnion(words)
            chosen.append(candidate)
        }
        return chosen
    }

    /// A statement of the same paragraph that speaks of what the best one leaves out: dropping a column, and then the views
    /// that use it.
    private func completing(_ top: Candidate, among candidates: [Candidate]) -> Candidate? {
        let passage = passages[top.passage]
        let statement = passage.statements[top.statement]
        let missing = inquiry.words.filter {
            !$0.namesValue && !$0.stands(in: statement.wordSet) && !passage.headingWords.contains($0.text)
        }
        return candidates.first { candidate in
            let other = passages[candidate.passage].statements[candidate.statement]
            return candidate.passage == top.passage && other.paragraph == statement.paragraph
                && candidate.score >= top.score * Self.worthCompleting
                && missing.contains { other.wordSet.contains($0.text) }
        }
    }

    private func repeatsQuestion(_ candidate: Candidate) -> Bool {
        let statement = passages[candidate.passage].statements[candidate.statement]
        let plain = Self.plain(statement.text)
        return echoes.contains { plain.contains($0) }
    }

    private func isAboutIt(_ candidate: Candidate) -> Bool {
        guard !about.isEmpty else { return true }
        let passage = passages[candidate.passage]
        let title = Set(ContentWords.of(passage.section.book.title))
        return about.allSatisfy { name in
            passage.statements[candidate.statement].wordSet.contains(name) || passage.headingWords.contains(name)
                || passage.outerHeadingWords.contains(name) || title.contains(name)
        }
    }

    /// The letters and digits in lower case, a space for all between them.
    private static func plain(_ text: some StringProtocol) -> String {
        text.lowercased().split { !$0.isLetter && !$0.isNumber }.joined(separator: " ")
    }

    /// The statement that sets both things against each other, or else what is said of each.
    private func chooseDifference() -> [Candidate] {
        let both = choose()
        if let best = both.first, AnswerForm.isContrast(passages[best.passage].statements[best.statement], inquiry) {
            return both
        }
        let each = inquiry.sides.compactMap { side in
            rated(for: Inquiry("What is \(side)?", among: statements)).filter { $0.held == 1 }.max {
                $0.score < $1.score
            }
        }
        return each.count == 2 ? each : both
    }

    func rated() -> [Candidate] { rated(for: inquiry) }

    private func rated(for inquiry: Inquiry) -> [Candidate] {
        let best = passages.map(\.score).max() ?? 0
        return passages.indices.flatMap { index in
            let passage = passages[index]
            let rating = StatementRating(passage, inquiry: inquiry, standing: best > 0 ? passage.score / best : 1)
            return passage.statements.indices.compactMap { position in
                rating.rate(position).map {
                    Candidate(passage: index, statement: position, held: $0.held, score: $0.score)
                }
            }
        }
    }
}
