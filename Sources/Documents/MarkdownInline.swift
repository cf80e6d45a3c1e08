/// Strips a paragraph of its inline marks: two passes, since whether a mark is one shows only at its counterpart.
struct MarkdownInline {
    private enum Kind {
        /// Text with entities.
        case text
        /// Text as it stands: code, an escaped character.
        case literal
        case markup(HTMLToken)
        case lineBreak
    }

    private struct Piece {
        let kind: Kind
        var range: Range<Int>
    }

    /// The longest link destination, title or label that is looked for. It bounds what a search that fails costs.
    private static let linkLimit = 1000

    /// The most pieces a paragraph is cut into; the rest of it stays as it is. Real paragraphs have hundreds, and each
    /// piece takes some hundred bytes of memory.
    private static let pieceLimit = 100_000

    private let bytes: [UInt8]
    private let references: Set<String>
    private var tokenizer: HTMLTokenizer
    private var pieces: [Piece] = []
    private var index = 0
    private var textStart = 0
    /// The marks that may open emphasis, by their byte, as indices of their pieces.
    private var openers: [UInt8: [Int]] = [:]
    private var brackets: [Int] = []
    /// The last run of backticks of each length, once a search has failed and so seen them all.
    private var lastBackticks: [Int: Int]?
    private var searched = 0

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

    private func byte(_ index: Int) -> UInt8? {
        bytes.indices.contains(index) ? bytes[index] : nil
    }

    private mutating func flush() {
        if textStart < index { pieces.append(Piece(kind: .text, range: textStart..<index)) }
        textStart = index
    }

    /// Adds a piece after the text before it, and goes on behind it.
    private mutating func add(_ kind: Kind, _ range: Range<Int>, next: Int? = nil) {
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

// MARK: Links

extension MarkdownInline {
    private mutating func openBracket(length: Int) {
        add(.text, index..<index + length)
        brackets.append(pieces.count - 1)
    }

    private mutating func closeBracket() {
        guard let opener = brackets.popLast() else { return index += 1 }
        let text = pieces[opener].range.upperBound..<index
        guard let end = destinationEnd(index + 1) ?? referenceEnd(index + 1, text: text) else { return index += 1 }
        flush()
        pieces[opener].range = text.lowerBound..<text.lowerBound
        index = end
        textStart = end
    }

    /// The end of `[label]`, `[]` or nothing after a link's text, if the label is defined.
    private mutating func referenceEnd(_ start: Int, text: Range<Int>) -> Int? {
        guard !references.isEmpty else { return nil }
        if byte(start) == UInt8(ascii: "[") {
            let end = scan(from: start + 1) { $0 == UInt8(ascii: "]") || $0 == UInt8(ascii: "[") }
            if let end, bytes[end] == UInt8(ascii: "]") {
                let label = end == start + 1 ? text : start + 1..<end
                return isReference(label) ? end + 1 : nil
            }
        }
        return isReference(text) ? start : nil
    }

    private mutating func isReference(_ label: Range<Int>) -> Bool {
        guard label.count <= Self.linkLimit else { return false }
        searched += label.count
        return references.contains(MarkdownLine.label(bytes[label]))
    }

    /// The end of `(destination "title")`.
    private mutating func destinationEnd(_ start: Int) -> Int? {
        guard byte(start) == UInt8(ascii: "(") else { return nil }
        var end = skipSpaces(start + 1)
        if byte(end) == UInt8(ascii: "<") {
            guard let close = scan(from: end + 1, to: { $0 == UInt8(ascii: ">") || $0 == 0x0A }) else { return nil }
            end = close + 1
        } else {
            guard let close = bareDestinationEnd(end) else { return nil }
            end = close
        }
        end = skipSpaces(end)
        if let quote = byte(end), "\"'(".utf8.contains(quote) {
            let closing = quote == UInt8(ascii: "(") ? UInt8(ascii: ")") : quote
            guard let close = scan(from: end + 1, to: { $0 == closing }) else { return nil }
            end = skipSpaces(close + 1)
        }
        return byte(end) == UInt8(ascii: ")") ? end + 1 : nil
    }

    /// The end of a destination without brackets, whose own parentheses are balanced.
    private mutating func bareDestinationEnd(_ start: Int) -> Int? {
        if bytes[min(start, bytes.count)...].starts(with: "data:".utf8) { return dataEnd(start) }
        var end = start
        var depth = 0
        defer { searched += end - start }
        while end < bytes.count, end - start < Self.linkLimit, !bytes[end].isSpace {
            switch bytes[end] {
            case UInt8(ascii: "\\"): end += 1
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")") where depth == 0: return end
            case UInt8(ascii: ")"): depth -= 1
            default: break
            }
            end += 1
        }
        end = min(end, bytes.count)
        return depth == 0 && end - start < Self.linkLimit ? end : nil
    }

    /// An image in the text itself may be long; no two such searches overlap, for it ends at any bracket.
    private mutating func dataEnd(_ start: Int) -> Int? {
        let end = bytes[start...].firstIndex { !$0.isAlphanumeric && !"+/=:;,._%-".utf8.contains($0) } ?? bytes.count
        searched += end - start
        return end
    }

    private func skipSpaces(_ start: Int) -> Int {
        var index = start
        while let byte = byte(index), byte.isSpace { index += 1 }
        return index
    }

    /// The next byte that satisfies the condition and is not escaped, within the limit.
    private mutating func scan(from start: Int, to condition: (UInt8) -> Bool) -> Int? {
        var index = start
        defer { searched += index - start }
        while index < bytes.count, index - start < Self.linkLimit {
            if condition(bytes[index]) { return index }
            index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return nil
    }
}
