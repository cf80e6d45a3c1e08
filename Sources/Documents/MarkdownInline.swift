/// Strips a paragraph of its inline marks: two passes, since whether a mark is one shows only at its counterpart.
struct MarkdownInline {
    enum Kind {
        /// Text with entities.
        case text
        /// Text as it stands: code, an escaped character.
        case literal
        case markup(HTMLToken)
        case lineBreak
    }

    struct Piece {
        let kind: Kind
        var range: Range<Int>
    }

    /// The longest link destination, title or label that is looked for. It bounds what a search that fails costs.
    static let linkLimit = 1000

    /// The most pieces a paragraph is cut into; the rest of it stays as it is. Real paragraphs have hundreds, and each
    /// piece takes some hundred bytes of memory.
    private static let pieceLimit = 100_000

    let bytes: [UInt8]
    let references: Set<String>
    private var tokenizer: HTMLTokenizer
    var pieces: [Piece] = []
    var index = 0
    var textStart = 0
    /// The marks that may open emphasis, by their byte, as indices of their pieces.
    private var openers: [UInt8: [Int]] = [:]
    var brackets: [Int] = []
    /// The last run of backticks of each length, once a search has failed and so seen them all.
    private var lastBackticks: [Int: Int]?
    var searched = 0

    init(_ bytes: [UInt8], references: Set<String>) {
        self.bytes = bytes
        self.references = references
        tokenizer = HTMLTokenizer(bytes)
    }

    /// Bytes looked at, for the tests.
    var examined: Int { bytes.count + searched + tokenizer.examined }

    mutating func parse() {
        while index < bytes.count, pieces.count < Self.pieceLimit {
            switch bytes[index] {
            case UInt8(ascii: "\\"): readEscape()
            case UInt8(ascii: "`"): readCode()
            case UInt8(ascii: "*"), UInt8(ascii: "_"), UInt8(ascii: "~"): readEmphasis(bytes[index])
            case UInt8(ascii: "!") where byte(index + 1) == UInt8(ascii: "["): openBracket(length: 2)
            case UInt8(ascii: "["): openBracket(length: 1)
            case UInt8(ascii: "]"): closeBracket()
            case UInt8(ascii: "<"): readMarkup()
            case 0x0A where index >= 2 && bytes[index - 1] == 0x20 && bytes[index - 2] == 0x20:
                add(.lineBreak, index..<index + 1)
            default: index += 1
            }
        }
        index = bytes.count
        flush()
    }

    /// Writes what is left of the pieces.
    func emit(into html: inout HTMLReader) {
        for piece in pieces {
            switch piece.kind {
            case .text: html.text(bytes, piece.range)
            case .literal: html.emit(bytes[piece.range])
            case .markup(let token): html.read(token, in: bytes)
            case .lineBreak: html.outline.write { $0.breakLine() }
            }
        }
    }

    func byte(_ index: Int) -> UInt8? {
        bytes.indices.contains(index) ? bytes[index] : nil
    }

    mutating func flush() {
        if textStart < index { pieces.append(Piece(kind: .text, range: textStart..<index)) }
        textStart = index
    }

    /// Adds a piece after the text before it, and goes on behind it.
    mutating func add(_ kind: Kind, _ range: Range<Int>, next: Int? = nil) {
        flush()
        pieces.append(Piece(kind: kind, range: range))
        index = next ?? range.upperBound
        textStart = index
    }
}

// MARK: Escapes, code, markup

extension MarkdownInline {
    private mutating func readEscape() {
        guard let next = byte(index + 1) else { return index += 1 }
        if next == 0x0A {
            add(.lineBreak, index..<index + 2)
        } else if next.isPunctuation {
            add(.literal, index + 1..<index + 2)
        } else {
            index += 1
        }
    }

    private mutating func readCode() {
        let start = index
        let open = backticks(at: start)
        guard let close = closingBackticks(open, from: start + open) else { return index += open }
        add(.literal, start + open..<close, next: close + open)
    }

    private func backticks(at start: Int) -> Int {
        bytes[start...].prefix { $0 == UInt8(ascii: "`") }.count
    }

    private mutating func closingBackticks(_ count: Int, from start: Int) -> Int? {
        if let lastBackticks, lastBackticks[count, default: -1] < start { return nil }
        var seen: [Int: Int] = [:]
        var index = start
        defer { searched += index - start }
        while let next = bytes[index...].firstIndex(of: UInt8(ascii: "`")) {
            let length = backticks(at: next)
            index = next + length
            if length == count { return next }
            seen[length] = next
        }
        lastBackticks = seen
        return nil
    }

    private mutating func readMarkup() {
        if let end = autolinkEnd() { return add(.literal, index + 1..<end, next: end + 1) }
        // Only the tags of known elements are read, and those are then consumed, so that no byte is read for nothing
        // twice. Another name is someone's placeholder or type: `<your-token>`, `Array<Int>`.
        guard isTagOrDeclaration(index + 1) else { return index += 1 }
        tokenizer.position = index
        if let token = tokenizer.markup() {
            add(.markup(token), index..<tokenizer.position)
        } else {
            index += 1
        }
    }

    private func isTagOrDeclaration(_ start: Int) -> Bool {
        guard let first = byte(start) else { return false }
        if first == UInt8(ascii: "!") || first == UInt8(ascii: "?") { return true }
        let rest = bytes[(first == UInt8(ascii: "/") ? start + 1 : start)...].prefix(HTMLName.lengthLimit + 1)
        let name = rest.prefix { $0.isAlphanumeric }
        guard HTMLName(name) != nil, let next = rest.dropFirst(name.count).first else { return false }
        return next.isSpace || next == UInt8(ascii: "/") || next == UInt8(ascii: ">")
    }

    private mutating func autolinkEnd() -> Int? {
        var end = index + 1
        var isLink = false
        defer { searched += end - index }
        while end < bytes.count, end - index < Self.linkLimit, !bytes[end].isSpace, bytes[end] != UInt8(ascii: "<") {
            switch bytes[end] {
            case UInt8(ascii: ">"): return isLink ? end : nil
            case UInt8(ascii: "\""), UInt8(ascii: "="): if !isLink { return nil }
            case UInt8(ascii: ":"), UInt8(ascii: "@"): isLink = isLink || end > index + 1
            default: break
            }
            end += 1
        }
        return nil
    }
}

// MARK: Emphasis

extension MarkdownInline {
    /// Removes pairs of marks. Other than CommonMark, an asterisk between ASCII letters or digits is no mark: in
    /// documentation `a*b*c` is a product.
    private mutating func readEmphasis(_ mark: UInt8) {
        let count = bytes[index...].prefix { $0 == mark }.count
        let before = index > 0 ? bytes[index - 1] : 0x20
        let after = byte(index + count) ?? 0x20
        guard mark != UInt8(ascii: "~") || count == 2, !(before.isAlphanumeric && after.isAlphanumeric) else {
            return index += count
        }
        let opens = !after.isSpace && (!after.isPunctuation || before.isSpace || before.isPunctuation)
        let closes = !before.isSpace && (!before.isPunctuation || after.isSpace || after.isPunctuation)
        let isUnderscore = mark == UInt8(ascii: "_")
        add(.text, index..<index + count)
        if closes, !isUnderscore || !opens || after.isPunctuation { matchOpeners(of: mark) }
        let last = pieces.count - 1
        if opens, !isUnderscore || !closes || before.isPunctuation, !pieces[last].range.isEmpty {
            openers[mark, default: []].append(last)
        }
    }

    /// Shortens the last piece and the marks it closes by what they have in common.
    private mutating func matchOpeners(of mark: UInt8) {
        let last = pieces.count - 1
        while !pieces[last].range.isEmpty, let opener = openers[mark]?.last {
            let common = min(pieces[opener].range.count, pieces[last].range.count)
            pieces[opener].range = pieces[opener].range.dropLast(common)
            pieces[last].range = pieces[last].range.dropFirst(common)
            if pieces[opener].range.isEmpty { openers[mark]?.removeLast() }
        }
    }
}
