/// Keeps an answer readable when claims of it are dropped: headings and announcing lines go with what they announce, a list
/// keeps its signs, paragraphs stay apart.
struct Layout {
    /// Headings, announcing lines and table heads that wait for the claim they belong to.
    private var waiting: [(space: String, text: String)] = []
    /// The widest white space since the last claim that was shown or waits.
    private var gap = ""
    /// Something that the last waiting line announced was dropped.
    private var hasLostItems = false
    /// The list sign of a line whose first sentence was dropped.
    private var sign = ""
    private var isInTable = false

    /// Takes what makes no claim of its own.
    mutating func holdsBack(_ claim: ClaimSplitter.Claim) -> Bool {
        let line = Substring(claim.text).trimmingWhitespace()
        let isTable = line.hasPrefix("|")
        defer { isInTable = isTable }
        guard claim.marks.isEmpty else { return false }
        let isHeading = line.hasPrefix("#") || line.hasPrefix("**") && line.hasSuffix("**") && line.count < 80
        let isTableHead = isTable && (!isInTable || claim.isBlank)
        guard isHeading || isTableHead || line.hasSuffix(":") || line.hasSuffix("：") || line.hasSuffix(":**") else {
            return false
        }
        // A heading ends what an earlier line announced; a table's head belongs to the line before it.
        if isHeading,
            waiting.last?.text.hasPrefix("#") != true
                || level(of: line) <= level(of: waiting[waiting.count - 1].text[...])
        {
            drop(waitingFrom: 0)
        } else if !isHeading, !isTableHead, let last = waiting.last, !last.text.hasPrefix("#") {
            drop(waitingFrom: waiting.count - 1)
        }
        widen(claim.space)
        waiting.append((gap, claim.text))
        gap = ""
        hasLostItems = false
        return true
    }

    /// The claim is not shown.
    mutating func drop(_ claim: ClaimSplitter.Claim) {
        widen(claim.space)
        if claim.space.contains(where: \.isNewline) || gap.isEmpty { sign = Self.listSign(of: claim.text) }
        if claim.space.contains(where: \.isNewline) { hasLostItems = true }
    }

    /// What comes now begins anew.
    mutating func endParagraph() {
        drop(waitingFrom: 0)
        widen("\n\n")
        sign = ""
    }

    /// The text of a claim with what belongs before it.
    mutating func show(
        _ body: String,
        of claim: ClaimSplitter.Claim,
        isFirst: Bool,
        supportedBy passages: [Passages.Passage]
    ) -> String {
        if claim.space.contains(where: \.isNewline) { sign = "" }
        // Running text is not what a line announced whose items are gone.
        if hasLostItems, sign.isEmpty, !Self.isItem(claim.text), let last = waiting.last, !last.text.hasPrefix("#") {
            drop(waitingFrom: waiting.count - 1)
        }
        widen(claim.space)
        let words = Set(ContentWords.of(body))
        let after = gap
        gap = ""
        var text = ""
        for line in waiting {
            widen(line.space)
            guard Self.isHarmless(line.text, words: words, passages: passages) else { continue }
            text += separator(isFirst: isFirst && text.isEmpty) + line.text
        }
        widen(after)
        text += separator(isFirst: isFirst && text.isEmpty) + sign + body
        waiting = []
        sign = ""
        hasLostItems = false
        return text
    }

    private mutating func separator(isFirst: Bool) -> String {
        defer { gap = "" }
        return isFirst ? "" : gap
    }

    private mutating func widen(_ space: String) {
        func width(_ space: String) -> (Int, Int) { (space.count(where: \.isNewline), space.count) }
        if width(space) > width(gap) { gap = space }
    }

    private mutating func drop(waitingFrom index: Int) {
        for line in waiting[index...] { widen(line.space) }
        waiting.removeSubrange(index...)
    }

    private func level(of heading: Substring) -> Int { heading.prefix { $0 == "#" }.count }

    private static func isItem(_ text: String) -> Bool {
        text.hasPrefix("|") || text.hasPrefix("```") || !listSign(of: text).isEmpty
    }

    private static func listSign(of text: String) -> String {
        let sign = text.prefix { $0.isNumber || "-*•.)".contains($0) }
        guard !sign.isEmpty, text[sign.endIndex...].hasPrefix(" ") else { return "" }
        return sign.contains { "-*•".contains($0) } && sign.count == 1 || sign.first?.isNumber == true ? sign + " " : ""
    }

    /// An announcing line is shown uncited; so it may say nothing that is not said by what it announces or by its section.
    private static func isHarmless(_ line: String, words: Set<String>, passages: [Passages.Passage]) -> Bool {
        let said = ContentWords.of(line).filter { !$0.allSatisfy(\.isNumber) || $0.count > 2 }
        let known = passages.reduce(words) { $1.statements.reduce($0.union($1.headingWords)) { $0.union($1.wordSet) } }
        // One word in three may be the model's own: `Steps`, `Summary`.
        return said.count(where: known.contains) * 3 >= said.count * 2 || said.count <= 1
    }
}
