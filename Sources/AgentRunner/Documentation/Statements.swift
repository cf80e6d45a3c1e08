/// What a section says, taken apart: the pieces that can be quoted one by one.
struct Statement: Sendable {
    enum Kind: Sendable {
        /// A sentence of running text.
        case sentence
        /// A line of a list, `- …`.
        case item
        /// A row of a table, `a | b | c`.
        case row
        /// A term and what is said of it: several lines, the first ones no sentence.
        case entry
        /// Commands, code, syntax.
        case code
        /// Captions, headers of tables, `Note`: nothing to quote.
        case label
    }

    let kind: Kind
    /// As it stands in the section.
    let text: Substring
    /// The paragraph it stands in; paragraphs are numbered in order.
    let paragraph: Int
    let words: [String]
    let wordSet: Set<String>

    init(_ kind: Kind, _ text: Substring, paragraph: Int) {
        self.kind = kind
        self.text = text
        self.paragraph = paragraph
        words = ContentWords.of(text)
        wordSet = Set(words)
    }

    /// Announces what follows it.
    var isLeadIn: Bool { text.last == ":" }
}

extension Statement {
    /// The statements of a section's text, in order.
    static func of(_ text: String) -> [Statement] {
        var statements: [Statement] = []
        var isAnnounced = false
        for (number, paragraph) in paragraphs(of: text).enumerated() {
            // Code with blank lines in it is announced once.
            isAnnounced = statements.last.map { $0.isLeadIn || isAnnounced && $0.kind == .code } ?? false
            append(paragraph, number, isAnnounced: isAnnounced, to: &statements)
        }
        return statements
    }

    private static func paragraphs(of text: String) -> [[Substring]] {
        var paragraphs: [[Substring]] = [[]]
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if !line.allSatisfy(\.isWhitespace) {
                paragraphs[paragraphs.count - 1].append(line)
            } else if paragraphs.last?.isEmpty == false {
                paragraphs.append([])
            }
        }
        return paragraphs.filter { !$0.isEmpty }
    }

    private static func append(
        _ lines: [Substring],
        _ paragraph: Int,
        isAnnounced: Bool,
        to statements: inout [Statement]
    ) {
        func add(_ kind: Kind, _ text: Substring) { statements.append(Statement(kind, text, paragraph: paragraph)) }
        if lines.count > 1, lines.allSatisfy({ $0.contains(" | ") }) {
            add(.label, lines[0].trimmingWhitespace())
            for line in lines.dropFirst() { add(.row, line.trimmingWhitespace()) }
            return
        }
        var rest = lines[...]
        while let line = rest.first {
            if let entry = signed(rest) {
                add(.entry, whole(entry))
                rest = rest.dropFirst(entry.count)
                continue
            }
            let verses = verses(in: rest)
            rest = rest.dropFirst(max(1, verses.count))
            if verses.isEmpty {
                let sentences = Sentences.of(line)
                for (index, sentence) in sentences.enumerated() {
                    let isFirstOfItem = isItem(line) && index == 0
                    add(isFirstOfItem ? .item : .sentence, isFirstOfItem ? withoutSign(sentence) : sentence)
                }
            } else if isAnnounced && !isTitle(verses) || verses.contains(where: looksLikeCode) {
                add(.code, whole(verses))
            } else if let prose = rest.first, !isItem(prose), verses.startIndex == 0, !isAdmonition(verses) {
                // A term's first sentence is quoted with the term, the others on their own.
                rest = rest.dropFirst()
                let sentences = Sentences.of(prose)
                add(.entry, verses[0].base[verses[0].startIndex..<(sentences.first ?? prose).endIndex])
                for sentence in sentences.dropFirst() { add(.sentence, sentence) }
            } else {
                add(verses.count > 1 ? .code : isPurpose(line) ? .sentence : .label, whole(verses))
            }
        }
    }

    /// The lines up to running text, an item or another signature.
    private static func verses(in lines: ArraySlice<Substring>) -> ArraySlice<Substring> {
        let signatures = lines.prefix(while: isSignature).count
        let others = lines.dropFirst(signatures).prefix { !isProse($0) && !isItem($0) && !isSignature($0) }
        return lines.prefix(signatures + others.count)
    }

    /// Signatures and what is said of them, which need not be a sentence: `sqrt ( numeric ) → numeric`, `Square root`.
    private static func signed(_ lines: ArraySlice<Substring>) -> ArraySlice<Substring>? {
        let signatures = lines.prefix(while: isSignature)
        guard !signatures.isEmpty, signatures.endIndex < lines.endIndex, !lines[signatures.endIndex].contains("→"),
            !isProse(lines[signatures.endIndex])
        else { return nil }
        return lines.prefix(signatures.count + 1)
    }

    /// `lpad ( string text ) → text`; with a quoted value in it, it is an example.
    private static func isSignature(_ line: Substring) -> Bool {
        line.contains(" → ") && !line.contains("'") && !isProse(line)
    }

    private static func whole(_ lines: ArraySlice<Substring>) -> Substring {
        lines[lines.startIndex].base[lines[lines.startIndex].startIndex..<lines[lines.endIndex - 1].endIndex]
    }

    /// `Range Partitioning`: the title of what follows, not something to type.
    private static func isTitle(_ lines: ArraySlice<Substring>) -> Bool {
        lines.count == 1
            && lines.allSatisfy { line in
                line.split(separator: " ").allSatisfy { word in
                    word.first?.isUppercase == true && word.dropFirst().allSatisfy { $0.isLowercase || $0 == "-" }
                }
            }
    }

    /// `TRUNCATE — empty a table`: how reference pages begin.
    private static func isPurpose(_ line: Substring) -> Bool {
        [" — ", " – "].contains { sign in
            line.firstRange(of: sign).map { line[$0.upperBound...].split(separator: " ").count > 1 } ?? false
        }
    }

    private static func isAdmonition(_ lines: ArraySlice<Substring>) -> Bool {
        let words: Set<Substring> = ["Note", "Tip", "Important", "Warning", "Caution", "Example", "See also"]
        return lines.count == 1 && lines.allSatisfy { words.contains($0.trimmingWhitespace()) }
    }

    private static func isItem(_ line: Substring) -> Bool {
        let trimmed = line.trimmingWhitespace()
        return withoutSign(trimmed).startIndex > trimmed.startIndex
    }

    /// An item without its `- ` or `1. `, which mean nothing outside of their list.
    private static func withoutSign(_ item: Substring) -> Substring {
        let number = item.prefix(while: \.isNumber)
        let sign = item.prefix(number.isEmpty ? 1 : number.count + 1)
        guard sign == "-" || (!number.isEmpty && sign.last == ".") else { return item }
        let rest = item[sign.endIndex...]
        return rest.first == " " ? rest.drop(while: \.isWhitespace) : item
    }

    /// Running text: some words, and a sign at the end that ends or announces something.
    private static func isProse(_ line: Substring) -> Bool {
        guard let last = line.trimmingWhitespace().last, ".!?:)。！？”\"".contains(last) else { return false }
        if looksLikeCode(line) { return false }
        return last == "." || last == ":" ? line.split(separator: " ").count > 2 : line.split(separator: " ").count > 6
    }

    private static func looksLikeCode(_ line: Substring) -> Bool {
        let trimmed = line.trimmingWhitespace()
        let starts = ["$ ", "# ", "> ", ">>> ", "... ", "=> ", "=# ", "-- ", "//"]
        return line.hasPrefix("  ") || starts.contains(where: trimmed.hasPrefix)
            || trimmed.last.map { ";{}\\".contains($0) } == true
    }
}
