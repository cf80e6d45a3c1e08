/// A tag as it stands in the source; attributes are ranges of its bytes, still with their entities.
struct HTMLTag {
    /// nil for an element that is not known.
    var name: HTMLName?
    var isSelfClosing = false
    var id: Range<Int>?
    var anchorName: Range<Int>?
    var classes: Range<Int>?
    var role: Range<Int>?
    var alternative: Range<Int>?
}

/// A piece of HTML.
enum HTMLToken {
    /// Text with entities.
    case text(Range<Int>)
    /// Text without, from CDATA.
    case literal(Range<Int>)
    case open(HTMLTag)
    case close(HTMLName?)
    /// A comment, declaration or anything else without text.
    case nothing
}

/// Cuts HTML into tokens, accepting whatever browsers accept (HTML standard, 13.2.5, less what no text depends on).
///
/// Linear: a search that ran to the end without finding is remembered, and not repeated from the next `<`.
struct HTMLTokenizer {
    let bytes: [UInt8]
    var position: Int
    /// Bytes looked at, over all searches: the tests hold it to a multiple of the input.
    private(set) var examined = 0

    private let end: Int
    /// No tag that begins after it can be complete.
    private let lastGreater: Int
    private var isDoubleQuoteOpen = false
    private var isSingleQuoteOpen = false
    /// `</title` is known not to follow.
    private var isTitleOpen = false
    /// The raw element whose content comes next.
    private var raw: HTMLName?

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        position = 0
        end = bytes.count
        lastGreater = bytes.lastIndex(of: UInt8(ascii: ">")) ?? -1
    }

    /// The next token; nil at the end.
    mutating func next() -> HTMLToken? {
        if let name = raw, let text = rawText(of: name) { return text }
        guard position < end else { return nil }
        if let token = markup() { return token }
        let start = position
        position += 1
        while let less = find(UInt8(ascii: "<"), from: position) {
            position = less
            if isMarkup(at: less) { return .text(start..<less) }
            position += 1
        }
        position = end
        return .text(start..<end)
    }

    /// The markup at `position`; nil, and the position unmoved, if there is none.
    mutating func markup() -> HTMLToken? {
        guard isMarkup(at: position) else { return nil }
        switch bytes[position + 1] {
        case UInt8(ascii: "/"): return closeTag()
        case UInt8(ascii: "!"): return declaration()
        case UInt8(ascii: "?"):
            position = find(UInt8(ascii: ">"), from: position).map { $0 + 1 } ?? end
            return .nothing
        default: return openTag()
        }
    }

    private func isMarkup(at index: Int) -> Bool {
        guard index + 1 < end, bytes[index] == UInt8(ascii: "<"), index < lastGreater else { return false }
        let next = bytes[index + 1]
        return next.isLetter || next == UInt8(ascii: "!") || next == UInt8(ascii: "?")
            || (next == UInt8(ascii: "/") && index + 2 < end && bytes[index + 2].isLetter)
    }
}

// MARK: Tags

extension HTMLTokenizer {
    private mutating func name(from start: Int) -> HTMLName? {
        position = start
        while position < end, !bytes[position].endsTagName { position += 1 }
        examined += position - start
        return HTMLName(bytes[start..<position])
    }

    private mutating func closeTag() -> HTMLToken {
        let name = name(from: position + 2)
        position = find(UInt8(ascii: ">"), from: position).map { $0 + 1 } ?? end
        return .close(name)
    }

    private mutating func openTag() -> HTMLToken {
        var tag = HTMLTag(name: name(from: position + 1))
        let start = position
        while position < end, bytes[position] != UInt8(ascii: ">") {
            if bytes[position].isSpace || bytes[position] == UInt8(ascii: "/") {
                tag.isSelfClosing = bytes[position] == UInt8(ascii: "/")
                position += 1
            } else {
                tag.isSelfClosing = false
                attribute(of: &tag)
            }
        }
        examined += position - start
        position = min(position + 1, end)
        if let name = tag.name, name.kind == .raw, !tag.isSelfClosing { raw = name }
        return .open(tag)
    }

    private mutating func attribute(of tag: inout HTMLTag) {
        let start = position
        position += 1  // whatever it is, even a stray quote or equals sign
        while position < end, !bytes[position].endsTagName, bytes[position] != UInt8(ascii: "=") { position += 1 }
        let name = start..<position
        var index = position
        while index < end, bytes[index].isSpace { index += 1 }
        guard index < end, bytes[index] == UInt8(ascii: "=") else { return }
        index += 1
        while index < end, bytes[index].isSpace { index += 1 }
        position = index
        let value = value()
        switch String(decoding: bytes[name].prefix(7), as: UTF8.self).lowercased() {
        case "id", "xml:id": tag.id = tag.id ?? value
        case "name": tag.anchorName = tag.anchorName ?? value
        case "class": tag.classes = tag.classes ?? value
        case "role": tag.role = tag.role ?? value
        case "alt": tag.alternative = tag.alternative ?? value
        default: break
        }
    }

    private mutating func value() -> Range<Int> {
        if position < end, let value = quotedValue(bytes[position]) { return value }
        let start = position
        while position < end, !bytes[position].isSpace, bytes[position] != UInt8(ascii: ">") { position += 1 }
        return start..<position
    }

    /// A quoted value; nil if the quote is never closed, which then is a character like any other.
    private mutating func quotedValue(_ quote: UInt8) -> Range<Int>? {
        let isDouble = quote == UInt8(ascii: "\"")
        guard isDouble || quote == UInt8(ascii: "'"), !(isDouble ? isDoubleQuoteOpen : isSingleQuoteOpen) else {
            return nil
        }
        let start = position + 1
        guard let close = find(quote, from: start) else {
            if isDouble { isDoubleQuoteOpen = true } else { isSingleQuoteOpen = true }
            return nil
        }
        position = close + 1
        return start..<close
    }
}

// MARK: Everything else

extension HTMLTokenizer {
    private mutating func declaration() -> HTMLToken {
        let start = position
        if starts(with: "<!--", at: start) {
            // `<!-->` and `<!--->` are complete comments.
            if starts(with: ">", at: start + 4) || starts(with: "->", at: start + 4) {
                position = start + (bytes[start + 4] == UInt8(ascii: ">") ? 5 : 6)
                return .nothing
            }
            position = find("-->", from: start + 4).map { $0 + 3 } ?? end
            return .nothing
        }
        if starts(with: "<![cdata[", at: start) {
            let close = find("]]>", from: start + 9)
            position = close.map { $0 + 3 } ?? end
            return .literal(start + 9..<(close ?? end))
        }
        position = find(UInt8(ascii: ">"), from: start).map { $0 + 1 } ?? end
        return .nothing
    }

    /// Skips a raw element's content up to its end tag; a title's is text.
    private mutating func rawText(of name: HTMLName) -> HTMLToken? {
        raw = nil
        let start = position
        let isTitle = name == .title
        // A title that is never closed has eaten nothing; a script that is never closed has eaten the rest.
        if isTitle && isTitleOpen { return nil }
        guard let close = find("</" + name.rawValue, from: start) else {
            isTitleOpen = isTitleOpen || isTitle
            position = isTitle ? start : end
            return isTitle ? nil : .nothing
        }
        position = close
        return isTitle ? .text(start..<close) : .nothing
    }

    private mutating func find(_ byte: UInt8, from start: Int) -> Int? {
        var index = start
        while index < end, bytes[index] != byte { index += 1 }
        examined += index - start + 1
        return index < end ? index : nil
    }

    /// Finds lowercase ASCII in any case.
    private mutating func find(_ text: String, from start: Int) -> Int? {
        guard let first = text.utf8.first else { return nil }
        var index = start
        while let candidate = find(first, from: index) {
            if starts(with: text, at: candidate) { return candidate }
            index = candidate + 1
        }
        return nil
    }

    private func starts(with text: String, at start: Int) -> Bool {
        guard start + text.utf8.count <= end else { return false }
        var index = start
        for byte in text.utf8 {
            guard bytes[index].lowercased == byte else { return false }
            index += 1
        }
        return true
    }
}

extension UInt8 {
    /// White space, `/` or `>`.
    fileprivate var endsTagName: Bool { isSpace || self == UInt8(ascii: "/") || self == UInt8(ascii: ">") }
}
