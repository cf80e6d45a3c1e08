import Contract
import Glibc

/// Answers by quoting: the best sentences of what was read, each with its mark. What the built-in `extractive` model
/// says, so that Octavo works with no key and no network.
struct ExtractiveAnswer {
    /// A sentence of a section with what it is worth for the question.
    private struct Candidate {
        var passage: Int
        var sentence: Int
        var score: Double
        var words: Set<String>
    }

    /// What a section must hold of the question, weighed by how rare the words are, to speak for it.
    static let neededCoverage = 0.5
    private static let mostSentences = 4
    /// Sentences over this length are tables and listings, which nobody wants quoted whole.
    private static let longestSentence = 600

    private let passages: [Passages.Passage]
    private let question: [String: Double]

    init(question: String, passages: Passages) {
        self.passages = passages.all.filter { $0.coverage >= Self.neededCoverage }
        let words = Set(ContentWords.of(question))
        let sections = self.passages.map { passage in
            passage.sentences.reduce(into: passage.headingWords) { $0.formUnion($1.words) }
        }
        self.question = Dictionary(
            uniqueKeysWithValues: words.map { word in
                let holding = Double(sections.count { $0.contains(word) })
                return (word, log(1 + (Double(sections.count) + 1) / (holding + 0.5)))
            }
        )
    }

    /// The answer with its marks; nil when nothing read speaks for one.
    func text() -> String? {
        let chosen = choose()
        guard !chosen.isEmpty else { return nil }
        var text = ""
        var lastPassage: Int?
        for candidate in chosen {
            let passage = passages[candidate.passage]
            let sentence = passage.sentences[candidate.sentence].text
            if let lastPassage { text += lastPassage == candidate.passage ? " " : "\n\n" }
            lastPassage = candidate.passage
            text += "\(Self.withoutListSign(sentence)) [[\(passage.section.id): \"\(sentence)\"]]"
        }
        return text
    }

    /// The best sentences that add something to each other, in reading order.
    private func choose() -> [Candidate] {
        var rest = candidates()
        var chosen: [Candidate] = []
        var covered: Set<String> = []
        guard let top = rest.map(\.score).max(), top > 0 else { return [] }
        while chosen.count < Self.mostSentences {
            let values = rest.indices.map { (index: $0, value: value(of: rest[$0], covered: covered, chosen: chosen)) }
            guard let best = values.max(by: { $0.value < $1.value }), best.value > top * 0.4 else { break }
            covered.formUnion(rest[best.index].words)
            chosen.append(rest.remove(at: best.index))
        }
        return chosen.sorted { ($0.passage, $0.sentence) < ($1.passage, $1.sentence) }
    }

    private func candidates() -> [Candidate] {
        passages.enumerated().flatMap { index, passage in
            passage.sentences.enumerated().compactMap { position, sentence in
                guard sentence.words.count >= 3, sentence.text.utf8.count <= Self.longestSentence,
                    sentence.text.contains(where: \.isLetter)
                else { return nil }
                let score = score(sentence, at: position, of: passage, rank: index)
                return score > 0 ? Candidate(passage: index, sentence: position, score: score, words: sentence.words) : nil
            }
        }
    }

    private func score(
        _ sentence: Passages.Sentence,
        at position: Int,
        of passage: Passages.Passage,
        rank: Int
    ) -> Double {
        var score = 0.0
        for (word, weight) in question {
            if sentence.words.contains(word) {
                score += weight
            } else if passage.headingWords.contains(word) {
                // What a heading names, the sentences under it need not repeat.
                score += 0.75 * weight
            }
        }
        // A section's first sentences say what it is about; a better section's sentences are better.
        score *= position == 0 ? 1.35 : position < 3 ? 1.1 : 1
        score *= passage.coverage / (1 + 0.25 * Double(rank))
        // Prose before listings: a sentence ends with a point and is long enough to say something.
        if let last = sentence.text.last, !".!?".contains(last) { score *= 0.6 }
        if sentence.text.last == ":" || sentence.text.contains(" | ") { score *= 0.5 }
        return score
    }

    /// What a sentence adds to those chosen; a repetition adds nothing.
    private func value(of candidate: Candidate, covered: Set<String>, chosen: [Candidate]) -> Double {
        guard !covered.isEmpty else { return candidate.score }
        let shared = Double(candidate.words.intersection(covered).count) / Double(max(1, candidate.words.count))
        guard shared < 0.8 else { return 0 }
        // The sentence after a chosen one explains it.
        let follows = chosen.contains { $0.passage == candidate.passage && $0.sentence == candidate.sentence - 1 }
        return candidate.score * (1 - 0.5 * shared) * (follows ? 1.15 : 1)
    }

    private static func withoutListSign(_ sentence: String) -> String {
        sentence.hasPrefix("- ") ? String(sentence.dropFirst(2)) : sentence
    }
}
