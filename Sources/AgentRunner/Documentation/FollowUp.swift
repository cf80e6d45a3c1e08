import Agents

/// A question in the light of those before it: "And in version 15?" says nothing by itself.
struct FollowUp {
    /// Earlier questions that one may go back to: behind these, people say anew what they mean.
    private static let mostEarlier = 3
    /// What stands for something said before may have been said in the same question, when there is much in it.
    private static let fewWords = 3
    /// A question that asks nothing by itself is no longer than this: "In version 15?".
    private static let mostWordsOfPiece = 4
    /// What a question that leans on the one before it begins with.
    private static let openings: Set<String> = [
        "and", "or", "but", "then", "so", "also", "what about", "how about", "same", "instead", "otherwise",
    ]
    /// Words that stand for something said before.
    private static let references: Set<String> = [
        "it", "its", "they", "them", "their", "this", "these", "those", "ones",
    ]
    /// What a question begins with that asks something.
    private static let asking: Set<String> = [
        "what", "how", "when", "where", "which", "who", "whose", "why", "is", "are", "was", "can", "could", "do",
        "does",
        "did", "may", "must", "should", "will", "would", "explain", "tell", "show", "list",
    ]

    /// What may be meant by it.
    struct Reading: Equatable {
        var text: String
        /// Names of which an answer has to speak, also where much else in it fits.
        var about: Set<String> = []
    }

    /// Words that say with a number which state of a thing is meant.
    private static let versionWords = Set(["version", "release", "edition"].map(ContentWords.reduced))

    /// As it was asked.
    let question: String
    /// The question that all of them go back to.
    private let base: String
    /// The question together with those it leans on, the oldest first; the question alone where it says itself what it is about.
    let whole: String
    /// Whether it leans on another.
    let leans: Bool

    init(_ question: String, after history: [Agents.Message]) {
        let earlier = history.reversed().compactMap { if case .user(let text, _) = $0 { text } else { nil } }
        var parts = [question]
        for text in earlier.prefix(Self.mostEarlier) where Self.leans(parts[0]) { parts.insert(text, at: 0) }
        self.question = question
        base = parts[0]
        leans = parts.count > 1
        whole = parts.joined(separator: "\n")
    }

    /// What to look for in what was found, in this order. What begins with "and" means nothing alone; of others it is not certain that
    /// they lean on anything.
    var readings: [Reading] {
        guard leans else { return [Reading(text: whole)] }
        // "I" is written like a name, and is none.
        let names = ContentWords.names(in: base).intersection(ContentWords.of(base))
        if asksForVersion { return [Reading(text: base, about: names.union(ContentWords.names(in: question)))] }
        var readings = [Reading(text: "\(base)\n\(question)", about: names), Reading(text: whole, about: names)]
        if readings[0] == readings[1] { readings.removeLast() }
        return Self.opens(question) ? readings : readings + [Reading(text: question)]
    }

    /// "And in version 15?": the same question of a book, or a part of one, that is about it.
    private var asksForVersion: Bool {
        let words = ContentWords.of(question)
        return words.contains { $0.allSatisfy(\.isNumber) }
            && words.allSatisfy { $0.allSatisfy(\.isNumber) || Self.versionWords.contains($0) }
    }

    /// Whether a question needs what was said before it.
    static func leans(_ question: String) -> Bool {
        let words = ContentWords.all(in: question)
        let content = ContentWords.of(question).count
        if content == 0 || opens(question) { return true }
        if content <= fewWords, words.contains(where: references.contains) { return true }
        return words.count <= mostWordsOfPiece && words.first.map(asking.contains) == false
    }

    private static func opens(_ question: String) -> Bool {
        let words = ContentWords.all(in: question)
        return [1, 2].contains { openings.contains(words.prefix($0).joined(separator: " ")) }
    }
}
