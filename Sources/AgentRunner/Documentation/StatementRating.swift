import Contract
import Glibc

/// What the statements of one section are worth as answers to a question.
struct StatementRating {
    /// What a word of the question counts that does not stand in the statement but near it, or is said in another way.
    private enum Share {
        static let alike = 0.7
        static let number = 0.7
        /// What a heading names, the sentences under it need not repeat.
        static let ownHeading = 0.85
        /// What a neighbour says may be about something else.
        static let paragraph = 0.5
        static let outerHeading = 0.4
    }

    /// What a statement keeps of a section that has nothing of what somebody wants to do.
    private static let otherAction = 0.75
    /// Longer ones are whole pages of syntax.
    private static let longest = 1_200

    private let passage: Passages.Passage
    private let inquiry: Inquiry
    /// The section's score as a share of the best section's.
    private let standing: Double
    /// How much the section's own heading is about the question: the share of its words in it, and of the question in them.
    private let aboutness: Double
    private let hasAction: Bool
    private let paragraphWords: [Int: Set<String>]

    init(_ passage: Passages.Passage, inquiry: Inquiry, standing: Double) {
        self.passage = passage
        self.inquiry = inquiry
        // What search puts second is not half as true.
        self.standing = pow(standing, 0.7)
        let heading = passage.subjectWords
        let named = inquiry.words.filter { heading.contains($0.text) }
        aboutness =
            inquiry.total == 0 || heading.isEmpty
            ? 0
            : Double(named.count) / Double(heading.count) * min(1, named.map(\.weight).reduce(0, +) / inquiry.total)
        let texts = [passage.headingWords, passage.outerHeadingWords] + passage.statements.map(\.wordSet)
        hasAction = inquiry.action.map { action in texts.contains(where: action.stands(in:)) } ?? true
        paragraphWords = passage.statements.reduce(into: [:]) { $0[$1.paragraph, default: []].formUnion($1.wordSet) }
    }

    /// Nil for what cannot be quoted, or holds nothing of the question.
    func rate(_ position: Int) -> (held: Double, score: Double)? {
        let statement = passage.statements[position]
        guard statement.kind != .label, statement.text.utf8.count <= Self.longest, statement.words.count >= 2,
            inquiry.total > 0
        else { return nil }
        let announced = announcement(of: position)
        let own = statement.wordSet.union(announced)
        var counted = 0.0
        var near = 0.0
        for word in inquiry.words {
            let share = share(of: word, in: statement, own: own)
            counted += share * word.weight
            // What merely occurs in code, as an option's name perhaps, says nothing about it.
            let isInCodeOnly =
                share == 1 && statement.kind == .code && !announced.contains(word.text)
                && !ContentWords.isIdentifier(word.text)
            near += word.weight * (share == 0 ? 0 : isInCodeOnly ? 0.25 : share == Share.alike ? Share.alike : 1)
        }
        guard counted > 0 else { return nil }
        var score = min(1, counted / inquiry.total)
        score *= 1 + 0.25 * pairShare(statement)
        score *= 0.6 + 0.4 * standing
        score *= form(statement, at: position) * AnswerForm.fit(statement, at: position, of: passage, inquiry: inquiry)
        if !isAboutSubject, !AnswerForm.defines(statement, inquiry) { near *= mentionShare(of: statement) }
        // How to copy a branch is not how to rename it.
        if let action = inquiry.action, self.share(of: action, in: statement, own: own) == 0 {
            near *= Self.otherAction
        }
        // What a setting `controls`, `affects` or `governs` is told first where it is described, in other words.
        if inquiry.kind == .definition, position == 0, passage.isBeginning, isWhollySubject { near = inquiry.total }
        return (min(1, near / inquiry.total), score)
    }

    /// What the sentence before says of code, and the header of a table of its rows: `Name | Storage Size | Range`.
    private func announcement(of position: Int) -> Set<String> {
        let statements = passage.statements
        switch statements[position].kind {
        case .code where position > 0 && statements[position - 1].isLeadIn: return statements[position - 1].wordSet
        case .row:
            let header = statements[..<position].last { $0.kind != .row }
            return header?.paragraph == statements[position].paragraph ? header?.wordSet ?? [] : []
        default: return []
        }
    }

    /// A question is answered where its subject is treated rather than where it is mentioned.
    private var isAboutSubject: Bool {
        inquiry.words.contains { passage.headingWords.contains($0.text) || passage.outerHeadingWords.contains($0.text) }
    }

    /// What a mention counts in a section whose headings say nothing of the question. Examples are about offices and
    /// rainbows in any manual.
    private func mentionShare(of statement: Statement) -> Double {
        if inquiry.kind == .definition || statement.kind == .code { return 0.5 }
        let beginning = ContentWords.all(in: statement.text).prefix(4)
        return beginning.contains { $0 == "example" || $0 == "suppose" } ? 0.5 : 0.85
    }

    private var isWhollySubject: Bool {
        let names = inquiry.words.filter(\.isName)
        return !names.isEmpty && names.allSatisfy { passage.subjectWords.contains($0.text) }
            && passage.subjectWords.isSubset(of: inquiry.subject)
    }

    private func share(of word: Inquiry.Word, in statement: Statement, own: Set<String>) -> Double {
        if own.contains(word.text) { return 1 }
        if passage.headingWords.contains(word.text) {
            return inquiry.kind == .difference ? Share.paragraph : Share.ownHeading
        }
        if word.namesValue, AnswerForm.isRowAsked(statement, inquiry) { return 1 }
        if word.namesValue, AnswerForm.holdsNumber(statement) { return Share.number }
        if !word.alike.isDisjoint(with: own) { return Share.alike }
        // Another name in the neighbourhood does not make a statement about it.
        let weakened = word.isName ? 0.5 : 1
        if paragraphWords[statement.paragraph]?.contains(word.text) == true { return Share.paragraph * weakened }
        if passage.outerHeadingWords.contains(word.text) { return Share.outerHeading * weakened }
        return 0
    }

    /// The share of the question's pairs of words that stand side by side in the statement too.
    private func pairShare(_ statement: Statement) -> Double {
        guard !inquiry.pairs.isEmpty else { return 0 }
        let pairs = zip(statement.words, statement.words.dropFirst())
        let found = inquiry.pairs.count { wanted in pairs.contains { $0 == wanted.first && $1 == wanted.second } }
        return Double(found) / Double(inquiry.pairs.count)
    }

    /// How well it can be quoted, whatever was asked.
    private func form(_ statement: Statement, at position: Int) -> Double {
        var form = 1.0
        // A section's first sentences say what it is about.
        if statement.paragraph == 0, passage.isBeginning { form *= position == 0 ? 1.1 + 0.4 * aboutness : 1.1 }
        // Nobody reads on to the end of these.
        let words = Double(statement.words.count)
        if words > 35 { form *= 0.5 + 17.5 / words }
        // A section's first sentence points at the heading, which is shown with it.
        if position > 0 || !passage.isBeginning, Anaphora.begins(statement.text) { form *= 0.8 }
        // `Does the string start with the prefix?` is what a function says.
        if statement.kind != .entry, statement.text.hasSuffix("?") || statement.text.hasPrefix("See ") { form *= 0.5 }
        return form
    }
}

/// Sentences that point back at the one before them, and say little without it.
enum Anaphora {
    private static let words: Set<String> = [
        "however", "this", "that", "it", "its", "thus", "these", "those", "such", "they", "their", "also",
        "furthermore",
        "moreover", "therefore", "hence", "then", "otherwise", "instead", "similarly", "likewise", "nevertheless",
        "but", "and",
        "so", "here", "both", "alternatively", "additionally", "conversely", "consequently", "again", "finally",
        "second",
        "he", "she", "another", "other", "or", "note", "still", "yet", "too",
    ]

    /// Whether a sentence goes on about what the one before it says.
    static func continues(_ text: Substring) -> Bool {
        guard let first = ContentWords.all(in: text.prefix(20)).first else { return false }
        return pointing.contains(first) || first == "it" || first == "they"
    }

    /// `With this option`, `For these reasons`.
    private static let pointing: Set<String> = ["this", "these", "those", "such"]

    static func begins(_ text: Substring) -> Bool {
        if text.hasPrefix("(") || text.hasPrefix("For example") {
            return true
        }
        let beginning = ContentWords.all(in: text.prefix(40)).prefix(3)
        // `It is possible to …` points at nothing.
        if beginning.starts(with: ["it", "is"]) { return false }
        return beginning.first.map(words.contains) == true || beginning.contains { pointing.contains($0) }
    }
}
