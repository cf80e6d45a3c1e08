import Contract

/// A statement as the answer shows it, with what it needs to be understood: the sentence it points back at, the code or the
/// list it announces.
struct Quotation {
    /// The most sentences before one that points back.
    private static let mostBefore = 2
    /// The most items of a list that are quoted.
    private static let mostItems = 8
    /// What is longer than some lines needs no explanation to make it longer.
    private static let longestExplained = 400
    /// A longer heading is a sentence or a syntax, not a name.
    private static let longestName = 50

    /// The passage's place among those read.
    let rank: Int
    /// The statements of the passage that are quoted.
    let range: ClosedRange<Int>
    private let passage: Passages.Passage
    private let subject: Set<String>
    private let isDefinition: Bool

    init(_ position: Int, in passage: Passages.Passage, of rank: Int, for inquiry: Inquiry) {
        self.rank = rank
        self.passage = passage
        subject = inquiry.subject
        isDefinition = inquiry.kind == .definition
        let statements = passage.statements
        var first = position
        var last = position
        while Self.pointsBack(first, in: passage), position - first < Self.mostBefore { first -= 1 }
        // A chain that goes on and on explains nothing; the sentence alone is shorter.
        if Self.pointsBack(first, in: passage) { first = position }
        if statements[first].kind == .code, first > 0, statements[first - 1].isLeadIn { first -= 1 }
        // On to what explains it, when it is asked how, why or what.
        if Self.wantsExplanation(inquiry), last == position, statements[last].kind != .code,
            last + 1 < statements.count,
            statements[last + 1].kind == .sentence, statements[last + 1].paragraph == statements[last].paragraph,
            Anaphora.continues(statements[last + 1].text),
            statements[last].text.utf8.count + statements[last + 1].text.utf8.count < Self.longestExplained
        {
            last += 1
        }
        if statements[last].isLeadIn {
            while last + 1 < statements.count, last - position < Self.mostItems, Self.isAnnounced(statements[last + 1])
            {
                last += 1
                if statements[last].kind == .code { break }
            }
        }
        range = first...last
    }

    /// Whether a sentence needs the one before it in its paragraph.
    private static func pointsBack(_ position: Int, in passage: Passages.Passage) -> Bool {
        guard position > 0 else { return false }
        let (before, statement) = (passage.statements[position - 1], passage.statements[position])
        return statement.kind == .sentence && before.kind != .label && before.paragraph == statement.paragraph
            && Anaphora.begins(statement.text)
    }

    private static func wantsExplanation(_ inquiry: Inquiry) -> Bool {
        switch inquiry.kind {
        case .definition, .method, .reason: true
        case .difference, .value, .choice, .other: false
        }
    }

    private static func isAnnounced(_ statement: Statement) -> Bool {
        switch statement.kind {
        case .item, .entry, .code, .row: true
        case .sentence, .label: false
        }
    }

    func overlaps(_ other: Quotation) -> Bool {
        rank == other.rank && range.overlaps(other.range)
    }

    /// Text with marks, as a model would write it.
    func marked(named: Bool) -> String {
        let statements = passage.statements[range]
        var text = named ? name.map { "\($0): " } ?? "" : ""
        for (index, statement) in zip(statements.indices, statements) {
            let before = index > statements.startIndex ? statements[index - 1] : nil
            let announces = statement.isLeadIn && index + 1 < statements.endIndex
            text += before.map { Self.separator(between: $0, and: statement) } ?? ""
            text += shown(statement, isListed: before != nil)
            // What announces code is quoted with it.
            let start = statement.kind == .code ? before?.text.startIndex : nil
            if !announces {
                text += mark(statement.text.base[(start ?? statement.text.startIndex)..<statement.text.endIndex])
            }
        }
        return text
    }

    private static func separator(between before: Statement, and statement: Statement) -> String {
        if statement.kind == .sentence, before.kind == .sentence, before.paragraph == statement.paragraph { return " " }
        return statement.kind != .sentence && statement.kind == before.kind ? "\n" : "\n\n"
    }

    /// A text that looks like the end of a mark is quoted up to there.
    private func mark(_ quote: Substring) -> String {
        let end =
            ["\"]]", "']]", "`]]", "”]]"].compactMap { quote.firstRange(of: $0)?.lowerBound }.min() ?? quote.endIndex
        return " [[\(passage.section.id): \"\(quote[..<end])\"]]"
    }

    /// What the quoted words are about, where they leave it to the heading: `KeyError: Raised when a key is not found.`
    private var name: String? {
        let statement = passage.statements[range.lowerBound]
        guard statement.kind == .sentence || statement.kind == .item, let heading = passage.section.headings.last else {
            return nil
        }
        var name = heading.prefix { !"([{".contains($0) }.trimmingWhitespace()
        // `DETACH PARTITION partition_name` is a command with its arguments.
        let capitals = name.prefix { $0.isUppercase || $0 == " " }.trimmingWhitespace()
        if capitals.count > 3, capitals.endIndex == name.endIndex || name[capitals.endIndex] == " " { name = capitals }
        let words = ContentWords.written(in: name)
        guard let first = words.first, first.first?.isNumber == false, name.count <= Self.longestName else {
            return nil
        }
        let isName =
            name == capitals
            || words.count <= 2
                && words.contains { word in
                    word.contains("_") || word.dropFirst().contains(where: \.isUppercase)
                }
            || heading.contains("(") && !heading.contains(" (") || name.contains(".") && !name.contains(" ")
        let isDefined = isDefinition && passage.subjectWords.isSubset(of: subject)
        guard isName || isDefined else { return nil }
        // Where the sentence begins with the name, or is not about it alone, it says it itself.
        let beginning = !isName ? Set(ContentWords.of(statement.text.prefix(40))) : statement.wordSet
        guard Anaphora.begins(statement.text) || passage.subjectWords.isDisjoint(with: beginning) else { return nil }
        return String(name)
    }

    private func shown(_ statement: Statement, isListed: Bool) -> String {
        let sign = isListed ? "- " : ""
        switch statement.kind {
        case .code: return "```\n\(statement.text)\n```"
        case .item: return sign + statement.text
        case .entry:
            let lines = statement.text.split(separator: "\n")
            return sign + "\(lines.dropLast().joined(separator: ", ")): \(lines.last ?? "")"
        case .row:
            let cells = statement.text.split(separator: " | ").map { String($0.trimmingWhitespace()) }
            return sign + "\(cells[0]): \(cells.dropFirst().joined(separator: "; "))"
        case .sentence, .label: return String(statement.text)
        }
    }
}
