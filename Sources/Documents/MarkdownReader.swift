/// Reads Markdown into an outline, line by line (CommonMark 0.31 and GitHub's tables, as far as plain text can tell).
///
/// Containers are kept as the columns their content begins in; HTML goes to a reader that shares the outline.
struct MarkdownReader {
    /// A leaf that goes on over several lines and is not a paragraph.
    enum Leaf {
        case fence(mark: UInt8, count: Int, indentation: Int, quotes: Int)
        case indented(column: Int, blanks: Int)
        case html(MarkdownHTML)
        case table
    }

    /// List items nest a few deep in practice; deeper markers are text.
    private static let itemLimit = 32
    /// Links by reference beyond it keep their brackets; a long change log has some thousands.
    private static let referenceLimit = 50_000

    var html = HTMLReader(isWholePage: false)
    var references: Set<String> = []
    var slugs = Slugs()
    var leaf: Leaf?
    var paragraph: [UInt8] = []
    var lastLineStart = 0
    /// The columns in which the open list items' contents begin.
    var items: [Int] = []
    var quotes = 0
    /// Bytes looked at by inline parsing, for the tests.
    var examined = 0

    mutating func read(_ bytes: [UInt8]) {
        var body = bytes[...]
        if let matter = FrontMatter(bytes) {
            html.outline.title = matter.title
            body = bytes[matter.end...]
        }
        // Definitions may follow their use. One in a code block counts too, which does no harm.
        for line in Lines(body) where references.count < Self.referenceLimit {
            if let label = MarkdownLine.definition(line.trimmed()) { references.insert(label) }
        }
        for line in Lines(body) where !html.outline.isOverfull { read(line: expandTabs(line)) }
        closeLeaf()
        closeParagraph()
        html.closeAll()
    }

    /// Tabs in the indentation reach to columns of four.
    private func expandTabs(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let indentation = line.prefix { $0 == 0x20 || $0 == 0x09 }
        guard indentation.contains(0x09) else { return line }
        var column = 0
        for byte in indentation { column = byte == 0x09 ? column / 4 * 4 + 4 : column + 1 }
        return (Array(repeating: 0x20, count: column) + line.dropFirst(indentation.count))[...]
    }
}

// MARK: Lines

extension MarkdownReader {
    private mutating func read(line: ArraySlice<UInt8>) {
        var line = line
        var depth = 0
        let limit = fenceQuotes ?? Int.max
        while depth < limit, let rest = line.unquoted { (line, depth) = (rest, depth + 1) }
        if let fenceQuotes, depth < fenceQuotes { closeLeaf() }
        if depth != quotes, leaf == nil, paragraph.isEmpty || depth > quotes { enterQuote(depth) }
        if continueLeaf(line) { return }
        let content = line.drop { $0 == 0x20 }
        guard !content.isEmpty else { return closeParagraph() }
        let indentation = content.startIndex - line.startIndex
        if !paragraph.isEmpty, MarkdownLine.tableDelimiter(content) == nil,
            !begins(content, indentation: indentation)
        {
            return add(content)
        }
        if depth != quotes { enterQuote(depth) }
        closeItems(at: indentation)
        readBlock(line, content: content)
    }

    private var fenceQuotes: Int? {
        if case .fence(_, _, _, let quotes) = leaf { return quotes }
        return nil
    }

    private mutating func enterQuote(_ depth: Int) {
        closeParagraph()
        quotes = depth
        items = []
    }

    private mutating func closeItems(at column: Int) {
        while let last = items.last, column < last {
            endParagraph()
            items.removeLast()
            html.outline.write { $0.endItem() }
        }
    }

    /// Whether the line begins something else, rather than going on with the paragraph.
    func begins(_ content: ArraySlice<UInt8>, indentation: Int) -> Bool {
        guard indentation - (items.last ?? 0) < 4 else { return false }
        if MarkdownLine.heading(content) != nil || MarkdownLine.fence(content) != nil { return true }
        if MarkdownLine.underline(content) != nil || MarkdownLine.isRule(content) { return true }
        if MarkdownHTML(content, isInParagraph: true) != nil { return true }
        if let item = MarkdownLine.item(content) {
            let isEmpty = item.length > content.count
            return !items.isEmpty || !isEmpty && (item.marker.first?.isDigit == false || item.marker.first == 0x31)
        }
        return false
    }

    /// Reads what begins on a line, first the list items it is in.
    private mutating func readBlock(_ line: ArraySlice<UInt8>, content: ArraySlice<UInt8>) {
        var content = content
        while true {
            let column = content.startIndex - line.startIndex
            if column - (items.last ?? 0) >= 4, paragraph.isEmpty { return beginIndented(content, column: column) }
            if let rest = content.unquoted, !items.isEmpty {
                content = rest.drop { $0 == 0x20 }
                continue
            }
            if readUnderline(content) || MarkdownLine.isRule(content) { return closeParagraph() }
            guard items.count < Self.itemLimit, let item = MarkdownLine.item(content) else { break }
            endParagraph()
            beginItem(item.marker, column: column + item.length)
            content = content.dropFirst(item.length).drop { $0 == 0x20 }
            if content.isEmpty { return }
        }
        readLeaf(content, column: content.startIndex - line.startIndex)
    }

    private mutating func beginItem(_ marker: ArraySlice<UInt8>, column: Int) {
        let indentation = String(repeating: "  ", count: min(items.count, 8))
        let text = marker.first?.isDigit == true ? String(decoding: marker.dropLast(), as: UTF8.self) + ". " : "- "
        html.outline.write { $0.item(Array((indentation + text).utf8)) }
        items.append(column)
    }

    /// Reads a line that is in no further container.
    private mutating func readLeaf(_ content: ArraySlice<UInt8>, column: Int) {
        if let heading = MarkdownLine.heading(content) {
            closeParagraph()
            return read(heading: heading.text, level: heading.level)
        }
        if let fence = MarkdownLine.fence(content) {
            closeParagraph()
            leaf = .fence(mark: fence.mark, count: fence.count, indentation: column, quotes: quotes)
            return beginCode()
        }
        if let block = MarkdownHTML(content, isInParagraph: !paragraph.isEmpty) {
            closeParagraph()
            leaf = .html(block)
            _ = continueLeaf(content)
            return
        }
        if paragraph.isEmpty, MarkdownLine.definition(content) != nil { return }
        if let title = MarkdownLine.admonition(content) {
            closeParagraph()
            add(title)
            closeParagraph()
            return items.append(column + 4)
        }
        if !readTable(content) { add(content) }
    }

    private mutating func add(_ content: ArraySlice<UInt8>) {
        if !paragraph.isEmpty { paragraph.append(0x0A) }
        lastLineStart = paragraph.count
        paragraph.append(contentsOf: content)
    }
}

extension ArraySlice<UInt8> {
    /// The line without its block quote marker; nil if it has none.
    fileprivate var unquoted: ArraySlice<UInt8>? {
        let content = drop { $0 == 0x20 }
        guard content.first == UInt8(ascii: ">"), content.startIndex - startIndex < 4 else { return nil }
        let rest = content.dropFirst()
        return rest.first?.isSpace == true ? rest.dropFirst() : rest
    }
}

/// The lines of a text, without their ends, one at a time: a list of them all would outweigh the text.
private struct Lines: Sequence, IteratorProtocol {
    private var rest: ArraySlice<UInt8>

    init(_ text: ArraySlice<UInt8>) {
        rest = text
    }

    mutating func next() -> ArraySlice<UInt8>? {
        guard !rest.isEmpty else { return nil }
        let line = rest.prefix { $0 != 0x0A }
        rest = rest[Swift.min(line.endIndex + 1, rest.endIndex)...]
        return line
    }
}
