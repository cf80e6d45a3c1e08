import Agents
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

    private typealias Source = (section: Section, quote: String)

    private struct SourceKey: Hashable {
        var section: Int
        var quote: String
    }

    private var passages: Passages
    private var splitter = ClaimSplitter()
    private var layout = Layout()
    private var numbers: [SourceKey: Int] = [:]

    private(set) var citations: [Citation] = []
    /// What was shown, put together.
    private(set) var answer = ""
    /// Claims that nothing supported.
    private(set) var dropped = 0
    /// The model said that the documentation does not answer.
    private(set) var saidUnsupported = false

    init(passages: Passages = Passages()) {
        self.passages = passages
        splitter.sections = Set(passages.all.map(\.section.id))
    }

    /// The run has read other sections.
    mutating func read(_ section: Section) {
        passages.add(section)
        splitter.sections.insert(section.id)
    }

    /// The model's next words.
    mutating func consume(_ text: String) -> [Piece] {
        check(splitter.append(text))
    }

    /// The model pauses, to call a tool perhaps, or has finished: what is left is a claim.
    mutating func finish() -> [Piece] {
        defer { layout.endParagraph() }
        return check(splitter.finish())
    }

    private mutating func check(_ claims: [ClaimSplitter.Claim]) -> [Piece] {
        claims.flatMap { claim -> [Piece] in
            if claim.saysUnsupported {
                saidUnsupported = true
            } else if layout.holdsBack(claim) {
                return []
            } else if !claim.isBlank, let sources = sources(of: claim) {
                return show(claim, sources: sources)
            } else {
                dropped += claim.isBlank ? 0 : 1
            }
            layout.drop(claim)
            return []
        }
    }

    /// For each part of a claim what supports it; nil when one has nothing: half of a sentence may turn it around.
    private func sources(of claim: ClaimSplitter.Claim) -> [[Source]]? {
        var sources: [[Source]] = []
        for segment in claim.segments {
            var found = segment.marks.compactMap(source(of:))
            if found.isEmpty, segment.marks.isEmpty, !sources.isEmpty,
                segment.text.count(where: \.isLetter) < Self.shortestClaim
            {
                sources.append([])
                continue
            }
            if found.isEmpty,
                let support = Attribution.support(for: segment.text, in: passages, near: segment.marks.map(\.section))
            {
                found = [support]
            }
            guard !found.isEmpty else { return nil }
            sources.append(found)
        }
        return sources
    }

    /// Fewer letters behind a mark (`, etc.`) claim nothing of their own.
    private static let shortestClaim = 5

    private func source(of mark: Mark) -> Source? {
        guard let quote = mark.quote, let passage = passages[mark.section] else { return nil }
        return Verbatim.find(quote, in: passage.section.text).map { (passage.section, $0) }
    }

    private mutating func show(_ claim: ClaimSplitter.Claim, sources: [[Source]]) -> [Piece] {
        var pieces: [Piece] = []
        var body = ""
        for (segment, sources) in zip(claim.segments, sources) {
            var marks: [Int] = []
            for source in sources {
                let key = SourceKey(section: source.section.id, quote: source.quote)
                let number = numbers[key] ?? citations.count + 1
                if numbers.updateValue(number, forKey: key) == nil {
                    citations.append(Citation(number: number, section: source.section, quote: source.quote))
                    pieces.append(.citation(citations[number - 1]))
                }
                if !marks.contains(number) { marks.append(number) }
            }
            let text = marks.isEmpty ? segment.text : String(Substring(segment.text).trimmingTrailingWhitespace())
            body += text + marks.map { " [\($0)]" }.joined()
        }
        let supporting = sources.joined().compactMap { passages[$0.section.id] }
        let text = layout.show(body, of: claim, isFirst: answer.isEmpty, supportedBy: supporting)
        answer += text
        pieces.append(.text(text))
        return pieces
    }
}

extension ClaimSplitter.Claim {
    /// Nothing that could be dropped.
    var isBlank: Bool { !text.contains { $0.isLetter || $0.isNumber } }

    /// `The documentation does not answer this question.`, whatever is put around it.
    var saysUnsupported: Bool {
        let letters = text.filter { $0.isLetter || $0 == " " }.trimmingPrefix(" ")
        return letters == DocumentationAgent.unsupported.filter { $0.isLetter || $0 == " " }
    }
}

extension Substring {
    func trimmingTrailingWhitespace() -> Substring {
        var result = self
        while let last = result.last, last.isWhitespace { result = result.dropLast() }
        return result
    }
}
