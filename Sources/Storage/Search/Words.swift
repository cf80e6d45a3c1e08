/// Takes text apart into the words it is found by; the same for sections and for queries.
///
/// A compound such as `max_connections`, `pg_hba.conf` or `maxConnections` gives the whole and its parts, so that an
/// identifier finds its section and its words do too. What is written in capitals (`ON CONFLICT`) gives the capitals
/// as well, as `=ON`, since most of SQL would otherwise be lost among the stop words. A name before `(` gives `now()`, a
/// backslash command gives `\copy`, and operators such as `->>` stand for themselves.
struct Words {
    /// One word, and whether it is the rest of a compound whose whole was given too.
    struct Word: Equatable {
        var text: String
        var kind: Kind
    }

    enum Kind: Equatable {
        case plain, part, identifier, capitals, function, command, operation
    }

    /// Longer compounds (base64, URLs) give their parts only: nobody searches for them, and they bloat the index.
    static let maximumBytes = 64

    private let bytes: [UInt8]
    private var position = 0
    private var words: [Word] = []

    /// The words of a text, in order.
    static func of(_ text: String) -> [Word] {
        var scanner = Words(bytes: Array(text.utf8))
        scanner.scan()
        return scanner.words
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private mutating func scan() {
        while position < bytes.count {
            let byte = bytes[position]
            if Self.isWord(byte) {
                compound(command: position > 0 && bytes[position - 1] == UInt8(ascii: "\\"))
            } else if Self.isOperator(byte) {
                operation()
            } else {
                position += 1
            }
        }
    }

    /// A run of word bytes, held together by single `.`, `-`, `/` and `:` between them.
    private mutating func compound(command: Bool) {
        let start = position
        var boundaries: [Range<Int>] = []
        var partStart = position
        while position < bytes.count {
            let byte = bytes[position]
            if Self.isWord(byte), byte != UInt8(ascii: "_") {
                let previous = position > partStart ? bytes[position - 1] : 0
                if Self.isUpper(byte), Self.isLower(previous) {
                    boundaries.append(partStart..<position)
                    partStart = position
                }
                position += 1
            } else if byte == UInt8(ascii: "_") || (Self.isJoint(byte) && isWord(at: position + 1)) {
                if partStart < position { boundaries.append(partStart..<position) }
                position += 1
                partStart = position
            } else {
                break
            }
        }
        if partStart < position { boundaries.append(partStart..<position) }
        emit(start..<position, parts: boundaries, command: command)
    }

    private mutating func emit(_ whole: Range<Int>, parts: [Range<Int>], command: Bool) {
        let text = String(decoding: bytes[whole], as: UTF8.self)
        let isCompound = parts.count > 1 || parts.first != whole
        if whole.count <= Self.maximumBytes {
            let lowered = text.lowercased()
            if isCompound { words.append(Word(text: lowered, kind: .identifier)) }
            if command { words.append(Word(text: "\\" + lowered, kind: .command)) }
            if position < bytes.count, bytes[position] == UInt8(ascii: "("), !isCompound {
                words.append(Word(text: lowered + "()", kind: .function))
            }
            if whole.count > 1, bytes[whole].allSatisfy({ !Self.isLower($0) && $0 < 0x80 }),
                bytes[whole].contains(where: Self.isUpper)
            {
                words.append(Word(text: "=" + text, kind: .capitals))
            }
        }
        for part in parts where part.count <= Self.maximumBytes {
            let lowered = String(decoding: bytes[part], as: UTF8.self).lowercased()
            words.append(Word(text: lowered, kind: isCompound ? .part : .plain))
        }
    }

    /// Two to four operator signs, other than a line of the same sign.
    private mutating func operation() {
        let start = position
        while position < bytes.count, Self.isOperator(bytes[position]) { position += 1 }
        guard (2...4).contains(position - start) else { return }
        let signs = bytes[start..<position]
        let doubled = signs == Array("||".utf8)[...] || signs == Array("&&".utf8)[...] || signs == Array("::".utf8)[...]
        guard doubled || Set(signs).count > 1 else { return }
        words.append(Word(text: String(decoding: signs, as: UTF8.self), kind: .operation))
    }

    private func isWord(at index: Int) -> Bool {
        index < bytes.count && Self.isWord(bytes[index])
    }

    /// Letters, digits and the underscore; every byte of a character beyond ASCII counts as a letter.
    private static func isWord(_ byte: UInt8) -> Bool {
        isLower(byte) || isUpper(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_") || byte >= 0x80
    }

    private static func isLower(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) }
    private static func isUpper(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) }

    private static func isJoint(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "/") || byte == UInt8(ascii: ":")
    }

    private static func isOperator(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "="), UInt8(ascii: "!"), UInt8(ascii: "@"),
            UInt8(ascii: "#"), UInt8(ascii: "%"), UInt8(ascii: "^"), UInt8(ascii: "&"), UInt8(ascii: "|"),
            UInt8(ascii: "~"), UInt8(ascii: "?"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"),
            UInt8(ascii: ":"):
            true
        default: false
        }
    }
}
