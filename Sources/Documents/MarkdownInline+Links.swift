// Links and images: whether a bracket is one shows behind its end.
extension MarkdownInline {
    mutating func openBracket(length: Int) {
        add(.text, index..<index + length)
        brackets.append(pieces.count - 1)
    }

    mutating func closeBracket() {
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
