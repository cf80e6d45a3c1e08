/// One statement of a script, as far as telling what it does to which table takes.
struct SQLStatement: Equatable {
    /// Words in lower case, quoted names as they are, marks one by one; a string or a function's body is `'`.
    var words: [String] = []
    /// The line it begins on, from 1.
    var line = 0
    /// Comments before it and in it, without their dashes.
    var comments: [String] = []

    /// The statements of a script, in their order.
    static func all(in script: String) -> [SQLStatement] {
        var reader = SQLReader(script)
        return reader.statements()
    }
}

/// Takes a script apart by the lexical rules of PostgreSQL (manual, 4.1).
private struct SQLReader {
    private let text: [UInt8]
    private var index = 0
    private var line = 1
    private var statement = SQLStatement()
    /// Semicolons in parentheses, and between BEGIN ATOMIC and END, end nothing.
    private var depth = 0
    private var found: [SQLStatement] = []

    init(_ script: String) {
        text = Array(script.utf8)
    }

    mutating func statements() -> [SQLStatement] {
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: "-") where peek(1) == byte: comment { $0.lineComment() }
            case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"): comment { $0.blockComment() }
            case UInt8(ascii: "'"): string()
            case UInt8(ascii: "\""): add(quoted(by: byte))
            case UInt8(ascii: "$"): if !dollarString() { mark() }
            case UInt8(ascii: ";") where depth == 0:
                skip(1)
                end()
            case 0x09...0x0D, 0x20: skip(1)
            default: if Self.isWord(byte) { word() } else { mark() }
            }
        }
        end()
        return found
    }

    private func peek(_ ahead: Int = 0) -> UInt8? {
        index + ahead < text.count ? text[index + ahead] : nil
    }

    private mutating func skip(_ count: Int) {
        for byte in text[index..<min(index + count, text.count)] where byte == 0x0A { line += 1 }
        index = min(index + count, text.count)
    }

    private mutating func add(_ word: String) {
        if statement.words.isEmpty { statement.line = line }
        statement.words.append(word)
    }

    private mutating func end() {
        if !statement.words.isEmpty { found.append(statement) }
        statement = SQLStatement()
        depth = 0
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
            true
        default: false
        }
    }

    private mutating func word() {
        let start = index
        while let byte = peek(), Self.isWord(byte) || byte == UInt8(ascii: "$") { index += 1 }
        let word = String(decoding: text[start..<index], as: UTF8.self).lowercased()
        let isEscaped = word == "e" && peek() == UInt8(ascii: "'")
        if isEscaped { return string(escapes: true) }
        let previous = statement.words.last
        add(word)
        // A function's body as statements; CASE has an END of its own.
        if word == "atomic", previous == "begin" { depth += 1 }
        if depth > 0, word == "case" { depth += 1 }
        if depth > 0, word == "end", statement.words.contains("atomic") { depth -= 1 }
    }

    private mutating func mark() {
        let byte = text[index]
        if byte == UInt8(ascii: "(") { depth += 1 }
        if byte == UInt8(ascii: ")") { depth = max(0, depth - 1) }
        add(String(decoding: [byte], as: UTF8.self))
        skip(1)
    }

    private mutating func comment(_ read: (inout SQLReader) -> String) {
        statement.comments.append(read(&self))
    }

    private mutating func lineComment() -> String {
        let start = index + 2
        while let byte = peek(), byte != 0x0A { index += 1 }
        return String(decoding: text[min(start, index)..<index], as: UTF8.self)
    }

    /// They nest.
    private mutating func blockComment() -> String {
        let start = index + 2
        var open = 0
        repeat {
            if peek() == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") {
                open += 1
                skip(2)
            } else if peek() == UInt8(ascii: "*"), peek(1) == UInt8(ascii: "/") {
                open -= 1
                skip(2)
            } else {
                skip(1)
            }
        } while open > 0 && index < text.count
        return String(decoding: text[min(start, index)..<index], as: UTF8.self)
    }

    private mutating func string(escapes: Bool = false) {
        add("'")
        skip(1)
        while let byte = peek() {
            if escapes, byte == UInt8(ascii: "\\") {
                skip(2)
            } else if byte == UInt8(ascii: "'") {
                skip(1)
                // Two of them stand for one.
                guard peek() == byte else { return }
                skip(1)
            } else {
                skip(1)
            }
        }
    }

    private mutating func quoted(by mark: UInt8) -> String {
        var name: [UInt8] = []
        skip(1)
        while let byte = peek() {
            skip(1)
            if byte == mark {
                guard peek() == mark else { break }
                skip(1)
            }
            name.append(byte)
        }
        return String(decoding: name, as: UTF8.self)
    }

    /// `$tag$ … $tag$`; false where it is a parameter or an operator.
    private mutating func dollarString() -> Bool {
        var end = index + 1
        while end < text.count, Self.isWord(text[end]) { end += 1 }
        let isTag = end < text.count && text[end] == UInt8(ascii: "$")
        guard isTag, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[index + 1]) else { return false }
        let tag = Array(text[index...end])
        add("'")
        skip(tag.count)
        while index < text.count, !text[index...].starts(with: tag) { skip(1) }
        skip(tag.count)
        return true
    }
}
