import Contract

/// Lets through what the documentation supports: text of a model in, checked claims out. Pure; no waiting, no I/O.
///
/// A claim is a sentence, a line of a list or a block of code, with the marks `[[12: "quoted words"]]` behind it. A mark
/// counts when section 12 was read in this run and the words stand in it verbatim. A claim without one that counts is
/// looked up in what was read; when no sentence there carries it, it is dropped. So an answer streams by claims, not by
/// letters, and none has to be taken back.
struct AnswerChecker {
    /// What may be shown.
    enum Piece: Equatable {
        case text(String)
        case citation(Citation)
    }

    /// The most text a model may write without ending a claim; more is cut there.
    private static let longestClaim = 8_000

    private var passages: Passages
    private var splitter = ClaimSplitter()
    /// Lead-ins and headings, shown when the claim that follows is supported.
    private var leadIn = ""
    private var numbers: [Source: Int] = [:]

    private(set) var citations: [Citation] = []
    /// What was shown, put together.
    private(set) var answer = ""
    /// Claims that nothing supported.
    private(set) var dropped = 0

    private struct Source: Hashable {
        var section: Int
        var quote: String
    }

    init(passages: Passages = Passages()) {
        self.passages = passages
    }

    /// The run has read another section.
    mutating func read(_ section: Section, coverage: Double = 0) {
        passages.add(section, coverage: coverage)
    }

    /// The model's next words.
    mutating func consume(_ text: String) -> [Piece] {
        splitter.append(text, limit: Self.longestClaim)
        return check(splitter.finishedClaims())
    }

    /// The model has finished: what is left is the last claim.
    mutating func finish() -> [Piece] {
        check(splitter.remainingClaims())
    }

    private mutating func check(_ claims: [ClaimSplitter.Claim]) -> [Piece] {
        var pieces: [Piece] = []
        for claim in claims {
            if claim.isLeadIn {
                leadIn += claim.text
                continue
            }
            var sources: [(section: Section, quote: String)] = claim.marks.compactMap(source(of:))
            if sources.isEmpty, let support = Attribution.support(for: claim.text, in: passages, near: claim.marks.map(\.section)) {
                sources = [support]
            }
            guard !sources.isEmpty else {
                dropped += claim.isBlank ? 0 : 1
                leadIn = ""
                continue
            }
            pieces += show(claim, sources: sources)
        }
        return pieces
    }

    private func source(of mark: ClaimSplitter.Mark) -> (section: Section, quote: String)? {
        guard let quote = mark.quote, let passage = passages[mark.section] else { return nil }
        // Models like to dress quotations; the stored words decide.
        let undressed = quote.filter { $0 != "`" && $0 != "*" }
        guard let words = passage.verbatim(quote) ?? passage.verbatim(undressed) else { return nil }
        return (passage.section, words)
    }

    private mutating func show(_ claim: ClaimSplitter.Claim, sources: [(section: Section, quote: String)]) -> [Piece] {
        var pieces: [Piece] = []
        var marks: [Int] = []
        for source in sources {
            let key = Source(section: source.section.id, quote: source.quote)
            if let number = numbers[key] {
                if !marks.contains(number) { marks.append(number) }
                continue
            }
            let citation = Citation(number: citations.count + 1, section: source.section, quote: source.quote)
            numbers[key] = citation.number
            citations.append(citation)
            pieces.append(.citation(citation))
            marks.append(citation.number)
        }
        let (body, space) = claim.splitTrailingSpace()
        let text = leadIn + body + marks.map { " [\($0)]" }.joined() + space
        leadIn = ""
        answer += text
        pieces.append(.text(text))
        return pieces
    }
}
