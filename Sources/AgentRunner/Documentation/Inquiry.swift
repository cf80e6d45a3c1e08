import Glibc

/// A question, taken apart: its words with what each is worth, and what kind of answer it asks for.
struct Inquiry {
    /// What an answer looks like.
    enum Kind {
        /// "What is …": a definition.
        case definition
        /// "What is the difference between …": two things, set against each other.
        case difference
        /// "How do I …": a way to do it.
        case method
        /// "Why …": a reason.
        case reason
        /// "How many …", "maximum …", "default …": a value.
        case value
        /// "Which …", "What are …": an enumeration.
        case choice
        case other
    }

    /// A word of the question.
    struct Word {
        var text: String
        /// The rarer a word is in what was read, the more it tells.
        var weight: Double
        var alike: Set<String>
        /// A name somebody gave to one thing: nothing else can stand for it.
        var isName: Bool
        /// It names the kind of answer, such as "maximum" or "default": a number can stand for it.
        var namesValue: Bool

        /// Whether it is said here, in these or other words.
        func stands(in words: Set<String>) -> Bool {
            words.contains(text) || !alike.isDisjoint(with: words)
        }
    }

    let kind: Kind
    /// The content words in order, each once.
    let words: [Word]
    /// Words that stand side by side in the question; a statement that has them so means the same thing by them.
    let pairs: [(first: String, second: String)]
    /// What a statement has to hold to hold everything.
    let total: Double
    /// The words alone.
    let subject: Set<String>
    /// What somebody wants to do: the first word of a question for a method.
    let action: Word?
    /// The two things whose difference is asked for.
    let sides: [String]

    private static let knownName = 1.5
    private static let unknownName = 2.0

    /// Somebody who pastes a page asks about a part of it: no more words than this have to be held.
    private static let mostNeededWords = 10
    private static let valueWords = Set(
        [
            "maximum", "minimum", "max", "min", "number", "value", "amount", "size", "limit", "range", "long", "large",
            "big",
        ]
        .map(ContentWords.reduced)
    )

    /// - Parameter statements: What was read.
    init(_ question: String, among statements: [Statement]) {
        let kind = Self.kind(of: question)
        self.kind = kind
        let inOrder = ContentWords.of(question).filter {
            kind != .difference || $0 != ContentWords.reduced("difference")
        }
        var seen: Set<String> = []
        let texts = inOrder.filter { seen.insert($0).inserted }
        subject = seen
        sides = kind == .difference ? Self.sides(of: question) : []
        pairs = zip(inOrder, inOrder.dropFirst()).filter { $0 != $1 }.map { ($0, $1) }
        var holding: [String: Int] = [:]
        for statement in statements {
            for text in texts where statement.wordSet.contains(text) { holding[text, default: 0] += 1 }
        }
        let names = ContentWords.names(in: question)
        words = texts.map { text in
            let rarity = log(1 + Double(statements.count + 1) / Double((holding[text] ?? 0) + 1))
            let isName = names.contains(text)
            // A name that stands nowhere cannot be explained by what is said of others.
            let factor = !isName ? 1 : holding[text] == nil ? Self.unknownName : Self.knownName
            return Word(
                text: text,
                weight: factor * rarity,
                alike: isName ? [] : Alike.to(text),
                isName: isName,
                namesValue: kind == .value && Self.valueWords.contains(text)
            )
        }
        action = kind == .method ? words.first : nil
        total = words.map(\.weight).sorted(by: >).prefix(Self.mostNeededWords).reduce(0, +)
    }

    /// What stands around the `and` behind `between`.
    private static func sides(of question: String) -> [String] {
        guard let between = question.firstRange(of: "between ") else { return [] }
        return question[between.upperBound...].split(separator: " and ").map(String.init)
    }

    private static func kind(of question: String) -> Kind {
        let words = ContentWords.all(in: question)
        let text = " " + words.joined(separator: " ") + " "
        func has(_ phrases: String...) -> Bool { phrases.contains { text.contains(" \($0) ") } }
        if has("difference between", "differ", "versus", "vs") { return .difference }
        if has("why", "reason") { return .reason }
        if has("which"), !has("maximum", "minimum", "default value") { return .choice }
        if has(
            "how many",
            "how much",
            "how long",
            "how large",
            "how big",
            "how often",
            "maximum",
            "minimum",
            "max",
            "default",
            "what is the limit",
            "what is the size",
            "what is the range"
        ) {
            return .value
        }
        if has("what is", "what s"), has("size of", "length of", "range of") { return .value }
        if has("how do", "how can", "how to", "how should", "how would", "way to", "command") { return .method }
        if has("what are", "list") { return .choice }
        if has("what is", "what does", "what s", "what do", "purpose of") || words.count <= 3 { return .definition }
        // `drop a column that a view uses`: what somebody wants to do.
        return question.contains("?") ? .other : .method
    }
}
