/// What a line of Markdown begins, judged by its bytes without the indentation (CommonMark 0.31, chapter 4 and 5).
enum MarkdownLine {
    /// An ATX heading's level and text, without closing marks.
    static func heading(_ line: ArraySlice<UInt8>) -> (level: Int, text: ArraySlice<UInt8>)? {
        let level = line.prefix { $0 == UInt8(ascii: "#") }.count
        guard (1...6).contains(level) else { return nil }
        let rest = line.dropFirst(level)
        guard rest.isEmpty || rest.first?.isSpace == true else { return nil }
        let text = rest.trimmed()
        let closing = text.reversed().prefix { $0 == UInt8(ascii: "#") }.count
        let open = text.dropLast(closing)
        return (level, closing > 0 && (open.isEmpty || open.last?.isSpace == true) ? open.trimmed() : text)
    }

    /// 1 or 2 if the line underlines a heading.
    static func underline(_ line: ArraySlice<UInt8>) -> Int? {
        let line = line.trimmed()
        guard let mark = line.first, mark == UInt8(ascii: "=") || mark == UInt8(ascii: "-") else { return nil }
        return line.allSatisfy { $0 == mark } ? (mark == UInt8(ascii: "=") ? 1 : 2) : nil
    }

    static func isRule(_ line: ArraySlice<UInt8>) -> Bool {
        guard let mark = line.first, "*-_".utf8.contains(mark) else { return false }
        var count = 0
        for byte in line where !byte.isSpace {
            guard byte == mark else { return false }
            count += 1
        }
        return count >= 3
    }

    /// The mark and length of a code fence that opens.
    static func fence(_ line: ArraySlice<UInt8>) -> (mark: UInt8, count: Int)? {
        guard let mark = line.first, mark == UInt8(ascii: "`") || mark == UInt8(ascii: "~") else { return nil }
        let count = line.prefix { $0 == mark }.count
        guard count >= 3 else { return nil }
        return mark == UInt8(ascii: "`") && line.dropFirst(count).contains(mark) ? nil : (mark, count)
    }

    /// A list item's marker, and its length with the spaces up to the item's content.
    static func item(_ line: ArraySlice<UInt8>) -> (marker: ArraySlice<UInt8>, length: Int)? {
        guard let first = line.first else { return nil }
        var length = 1
        if first.isDigit {
            length = line.prefix { $0.isDigit }.count
            guard length <= 9, let end = line.dropFirst(length).first,
                end == UInt8(ascii: ".") || end == UInt8(ascii: ")")
            else { return nil }
            length += 1
        } else if !"-+*".utf8.contains(first) {
            return nil
        }
        let spaces = line.dropFirst(length).prefix { $0.isSpace }.count
        let isEmpty = line.count == length + spaces
        guard isEmpty || spaces > 0 else { return nil }
        return (line.prefix(length), length + (isEmpty || spaces > 4 ? 1 : spaces))
    }

    /// The label a link reference definition defines, lowercased.
    static func definition(_ line: ArraySlice<UInt8>) -> String? {
        guard line.first == UInt8(ascii: "["), line.dropFirst().first != UInt8(ascii: "^"),
            let close = line.prefix(1000).firstIndex(of: UInt8(ascii: "]")), close > line.startIndex + 1,
            line[(close + 1)...].first == UInt8(ascii: ":"), !line[(close + 2)...].trimmed().isEmpty
        else { return nil }
        return label(line[(line.startIndex + 1)..<close])
    }

    /// A label as labels are compared.
    static func label(_ text: ArraySlice<UInt8>) -> String {
        var prose = Prose(isOneLine: true)
        prose.append(text)
        return String(decoding: prose.bytes, as: UTF8.self).lowercased()
    }

    /// The number of cells if the line separates a table's header from its body.
    static func tableDelimiter(_ line: ArraySlice<UInt8>) -> Int? {
        guard line.contains(UInt8(ascii: "|")), line.contains(UInt8(ascii: "-")),
            line.allSatisfy({ "|-: ".utf8.contains($0) })
        else { return nil }
        return cells(line).count
    }

    /// A table row's cells.
    static func cells(_ line: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        var row = line.trimmed()
        if row.first == UInt8(ascii: "|") { row.removeFirst() }
        if row.last == UInt8(ascii: "|"), row.dropLast().last != UInt8(ascii: "\\") { row.removeLast() }
        var cells: [ArraySlice<UInt8>] = []
        var start = row.startIndex
        var index = start
        while index < row.endIndex {
            if row[index] == UInt8(ascii: "\\") {
                index += 1
            } else if row[index] == UInt8(ascii: "|") {
                cells.append(row[start..<index].trimmed())
                start = index + 1
            }
            index += 1
        }
        cells.append(row[min(start, row.endIndex)...].trimmed())
        return cells
    }

    /// Whether the line is the marker of an admonition or tab of MkDocs, whose content is indented by four.
    static func admonition(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        for marker in ["!!! ", "???+ ", "??? ", "=== \""] where line.starts(with: marker.utf8) {
            return line.dropFirst(marker.utf8.count).filter { $0 != UInt8(ascii: "\"") }[...]
        }
        return nil
    }

    /// The id of trailing attributes, as in `Heading {#id .class}`, and the text before them.
    static func attributes(_ text: ArraySlice<UInt8>) -> (text: ArraySlice<UInt8>, id: String?) {
        guard text.last == UInt8(ascii: "}"), let open = text.suffix(300).lastIndex(of: UInt8(ascii: "{")) else {
            return (text, nil)
        }
        let words = text[(open + 1)...].dropLast().split(whereSeparator: \.isSpace)
        guard let id = words.first(where: { $0.first == UInt8(ascii: "#") && $0.count > 1 }) else { return (text, nil) }
        return (text[..<open].trimmed(), String(decoding: id.dropFirst(), as: UTF8.self))
    }
}
