/// Whether a statement looks like an answer of the kind that is asked for. All figures are factors found by trial on three
/// manuals; an order of magnitude more or less breaks the balance with what is said, a tenth does not.
enum AnswerForm {
    static func fit(_ statement: Statement, at position: Int, of passage: Passages.Passage, inquiry: Inquiry) -> Double
    {
        let said = Said(statement)
        var fit = 1.0
        switch inquiry.kind {
        case .definition: fit = definition(statement, said, at: position, of: passage, inquiry: inquiry)
        case .difference:
            fit =
                contrasts(said, inquiry)
                ? 1.5 : said.has("unlike", "rather than", "difference", "in contrast", "differ") ? 1.2 : 1
        case .method: fit = method(statement, said)
        case .reason:
            fit =
                said.has("because", "since", "so that", "therefore", "in order", "reason", "to ensure", "otherwise")
                ? 1.3 : 1
        case .value: fit = value(statement, said, inquiry: inquiry)
        case .choice: fit = statement.isLeadIn || statement.text.count(where: { $0 == "," }) >= 3 ? 1.15 : 1
        case .other: break
        }
        switch statement.kind {
        case .code where inquiry.kind != .method: fit *= 0.6
        case .row where inquiry.kind != .value && inquiry.kind != .choice: fit *= 0.7
        case .entry:
            let isAsked = names(key(of: statement), inquiry)
            fit *= isAsked ? 1.3 : inquiry.kind == .definition && !defines(statement, inquiry) ? 0.7 : 1
        default: break
        }
        return fit
    }

    /// `A tablespace is …`, `TRUNCATE removes …`, or the first sentence under a heading that is the subject itself.
    private static func definition(
        _ statement: Statement,
        _ said: Said,
        at position: Int,
        of passage: Passages.Passage,
        inquiry: Inquiry
    ) -> Double {
        if defines(statement, inquiry) { return statement.text.contains("→") ? 2.2 : 1.5 }
        let isFirst =
            position == 0 && passage.isBeginning && !passage.subjectWords.isEmpty
            && passage.subjectWords.isSubset(of: inquiry.subject)
        // The subject at the beginning, or in parentheses behind it, and a verb behind that.
        guard let end = said.words.prefix(8).lastIndex(where: { inquiry.subject.contains(ContentWords.reduced($0)) })
        else {
            // `Tablespace: A location in the file system.`
            return isFirst ? 1.5 : 1
        }
        let others = said.words[..<end].count {
            !articles.contains($0) && !inquiry.subject.contains(ContentWords.reduced($0))
        }
        guard others == 0 || said.inParentheses == said.words[end] else { return isFirst ? 1.1 : 1 }
        let next = said.words[(end + 1)...].drop { $0.hasSuffix("ly") }
        var fit = isFirst ? 1.5 : 1
        guard let verb = next.first else { return fit }
        if verb == "is" || verb == "are" {
            fit *= next.dropFirst().first.map(articles.contains) == true ? 1.5 : 1.05
        } else if verb.hasSuffix("s"), verb.count > 3 {
            fit *= 1.3
        }
        return fit
    }

    private static let articles: Set<String> = ["a", "an", "the", "one", "any"]

    /// Whether it sets the two things of a question against each other.
    static func isContrast(_ statement: Statement, _ inquiry: Inquiry) -> Bool {
        contrasts(Said(statement), inquiry)
    }

    /// One of two things, a word of contrast, the other.
    private static func contrasts(_ said: Said, _ inquiry: Inquiry) -> Bool {
        let contrast: Set<String> = ["while", "whereas", "but", "unlike", "than", "instead", "contrast"]
        guard let middle = said.words.lastIndex(where: contrast.contains) else { return false }
        let before = Set(said.words[..<middle].map(ContentWords.reduced)).intersection(inquiry.subject)
        let after = Set(said.words[middle...].map(ContentWords.reduced)).intersection(inquiry.subject)
        return !before.isEmpty && !after.isEmpty && before != after
    }

    /// It says what to use, and names it.
    private static func method(_ statement: Statement, _ said: Said) -> Double {
        var fit = 1.0
        if said.has("use", "using", "can be done", "you can", "run", "specify", "execute", "invoke", "type")
            || statement.text.hasPrefix("To ")
        {
            fit *= 1.15
        }
        if statement.kind == .code || statement.isLeadIn || said.namesCommand { fit *= 1.15 }
        return fit
    }

    /// A number, best behind the key of a row that is asked for.
    private static func value(_ statement: Statement, _ said: Said, inquiry: Inquiry) -> Double {
        var fit = holdsNumber(statement) || said.has("unlimited", "no limit") ? 1.25 : 1
        if inquiry.subject.contains("default"),
            said.has("default is", "defaults to", "by default", "default value is", "is the default")
        {
            fit = 1.5
        }
        if isRowAsked(statement, inquiry) { fit *= 1.4 }
        return fit
    }

    /// A row of a table whose key consists of what is asked for: the rest of it is the value.
    static func isRowAsked(_ statement: Statement, _ inquiry: Inquiry) -> Bool {
        statement.kind == .row && names(key(of: statement), inquiry)
    }

    /// A number that is not the number of a table or a chapter.
    static func holdsNumber(_ statement: Statement) -> Bool {
        let words = ContentWords.all(in: statement.text)
        let references: Set<String> = ["table", "section", "chapter", "figure", "version", "appendix", "example"]
        return words.indices.contains { index in
            words[index].first?.isNumber == true
                && !words[max(0, index - 2)..<index].contains(where: references.contains)
        }
    }

    /// A row's first cell without what stands in brackets there, `timestamp [ (p) ]`, or an entry's term.
    private static func key(of statement: Statement) -> Substring {
        switch statement.kind {
        case .row:
            statement.text.firstRange(of: " | ").map { end in
                let cell = statement.text[..<end.lowerBound]
                let name = cell.prefix { !"[(".contains($0) }
                return name.allSatisfy(\.isWhitespace) ? cell : name
            } ?? ""
        case .entry: statement.text.prefix { !$0.isNewline }
        default: ""
        }
    }

    /// Whether one of an entry's terms is what is asked for: it begins with its name, as `lpad ( string text ) → text` does, or
    /// has its operator between its operands.
    static func defines(_ statement: Statement, _ inquiry: Inquiry) -> Bool {
        guard statement.kind == .entry else { return false }
        return statement.text.split(separator: "\n").dropLast().contains { term in
            let words = ContentWords.written(in: term).map { ContentWords.reduced($0.lowercased()) }
            return words.first.map(inquiry.subject.contains) == true
                || words.contains { ContentWords.isOperator($0) && inquiry.subject.contains($0) }
        }
    }

    /// Whether a key consists of what is asked for.
    private static func names(_ key: Substring, _ inquiry: Inquiry) -> Bool {
        let words = ContentWords.of(key)
        return !words.isEmpty
            && words.allSatisfy { word in
                inquiry.subject.contains(word) || inquiry.words.contains { $0.alike.contains(word) }
            }
    }
}

/// The words of a statement for looking at its form.
private struct Said {
    let words: [String]
    /// A word in capitals or a function's name: something to type.
    let namesCommand: Bool
    /// A single word in parentheses near the beginning: an abbreviation of what stands before it.
    let inParentheses: String?
    private let text: String

    init(_ statement: Statement) {
        let written = ContentWords.written(in: statement.text)
        words = written.map { $0.lowercased() }
        text = " " + words.joined(separator: " ") + " "
        let beginning = statement.text.prefix(60)
        inParentheses = beginning.firstIndex(of: "(").flatMap { open in
            beginning[open...].firstIndex(of: ")").map { beginning[open..<$0].dropFirst().lowercased() }
        }
        namesCommand =
            written.contains { word in
                ContentWords.isIdentifier(word) && word.contains("_")
                    || word.count > 3 && word.allSatisfy(\.isUppercase)
            } || statement.text.contains("()")
    }

    func has(_ phrases: String...) -> Bool {
        phrases.contains { text.contains(" \($0) ") }
    }
}
