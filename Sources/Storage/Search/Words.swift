/// Takes text apart into the words it is found by; the same for sections and for queries.
///
/// A compound such as `max_connections`, `pg_hba.conf` or `maxConnections` gives the whole and its parts, so that an
/// identifier finds its section and its words do too. What is written in capitals (`ON CONFLICT`) gives the capitals
/// as well, as `=ON`, since most of SQL would otherwise be lost among the stop words. A name before `(` gives `now()`, a
/// backslash command gives `\copy`, an option gives `--jobs`, and operators such as `->>` stand for themselves.
struct Words {
    /// One word, and where it stands.
    struct Word: Equatable {
        var text: String
        var kind: Kind
        /// In UTF-8 offsets.
        var range: Range<Int>
    }

    /// What a word is; `part` is one of a compound, whose whole was given too.
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
            if isWord(at: position) {
                compound()
            } else if Self.isOperator(bytes[position]) {
                operation()
            } else {
                position += Self.length(bytes[position])
            }
        }
    }

    /// A run of word characters, held together by single `.`, `-`, `/` and `:` between them.
    private mutating func compound() {
        let start = position
        var parts: [Range<Int>] = []
        var partStart = position
        while position < bytes.count {
            let byte = bytes[position]
            if isWord(at: position), byte != UInt8(ascii: "_") {
                let previous = position > partStart ? bytes[position - 1] : 0
                if Self.isUpper(byte), Self.isLower(previous) {
                    parts.append(partStart..<position)
                    partStart = position
                }
                position += Self.length(byte)
            } else if byte == UInt8(ascii: "_") || (Self.isJoint(byte) && isWord(at: position + 1)) {
                if partStart < position { parts.append(partStart..<position) }
                position += 1
                partStart = position
            } else {
                break
            }
        }
        position = min(position, bytes.count)
        if partStart < position { parts.append(partStart..<position) }
        emit(start..<position, parts: parts)
    }

    private mutating func emit(_ whole: Range<Int>, parts: [Range<Int>]) {
        let isCompound = parts.count > 1 || parts.first != whole
        if whole.count <= Self.maximumBytes { emitWhole(whole, isCompound: isCompound) }
        for part in parts where part.count <= Self.maximumBytes {
            let word = Irregular.regular(String(decoding: bytes[part], as: UTF8.self).lowercased())
            words.append(Word(text: word, kind: isCompound ? .part : .plain, range: part))
        }
    }

    /// The forms that say more than the word alone.
    private mutating func emitWhole(_ whole: Range<Int>, isCompound: Bool) {
        let text = String(decoding: bytes[whole], as: UTF8.self)
        let lowered = text.lowercased()
        if isCompound { words.append(Word(text: lowered, kind: .identifier, range: whole)) }
        if let sign = commandSign(before: whole.lowerBound) {
            words.append(Word(text: sign + lowered, kind: .command, range: whole))
        }
        if whole.upperBound < bytes.count, bytes[whole.upperBound] == UInt8(ascii: "("), !isCompound {
            words.append(Word(text: lowered + "()", kind: .function, range: whole))
        }
        let isCapitals =
            whole.count > 1 && bytes[whole].contains(where: Self.isUpper)
            && bytes[whole].allSatisfy { !Self.isLower($0) && $0 < 0x80 }
        if isCapitals { words.append(Word(text: "=" + text, kind: .capitals, range: whole)) }
    }

    /// `\` of `\copy`, `--` of `--jobs`; nil before any other word.
    private func commandSign(before start: Int) -> String? {
        let dash = UInt8(ascii: "-")
        if start >= 1, bytes[start - 1] == UInt8(ascii: "\\") { return "\\" }
        guard start >= 2, bytes[start - 1] == dash, bytes[start - 2] == dash else { return nil }
        // `a--b` and `---b` are no options.
        let isInside =
            start >= 3 && (isWord(at: start - 3) || bytes[start - 3] >= 0x80 || Self.isOperator(bytes[start - 3]))
        return isInside ? nil : "--"
    }

    /// Two to four operator signs, other than a line of the same sign and the end of a lively sentence.
    private mutating func operation() {
        let start = position
        while position < bytes.count, Self.isOperator(bytes[position]) { position += 1 }
        guard (2...4).contains(position - start) else { return }
        let signs = String(decoding: bytes[start..<position], as: UTF8.self)
        guard ["||", "&&", "::"].contains(signs) || Set(signs.utf8).count > 1 else { return }
        guard !signs.utf8.allSatisfy("?!".utf8.contains) else { return }
        words.append(Word(text: signs, kind: .operation, range: start..<position))
    }

    /// Letters, digits and the underscore. A character beyond ASCII counts as a letter, unless it is of the blocks of
    /// punctuation, signs and arrows that typeset text is full of: U+0080 to U+00BF, U+2000 to U+2BFF, U+3000 to U+303F.
    private func isWord(at index: Int) -> Bool {
        guard index < bytes.count else { return false }
        let byte = bytes[index]
        guard byte >= 0x80 else {
            return Self.isLower(byte) || Self.isUpper(byte) || Self.isDigit(byte) || byte == UInt8(ascii: "_")
        }
        let second = index + 1 < bytes.count ? bytes[index + 1] : 0
        switch byte {
        case 0x80..<0xC0, 0xC2: return false
        case 0xE2: return second >= 0xB0
        case 0xE3: return second > 0x80
        default: return true
        }
    }

    /// How many bytes a character has, by its first.
    private static func length(_ byte: UInt8) -> Int {
        switch byte {
        case 0xC0..<0xE0: 2
        case 0xE0..<0xF0: 3
        case 0xF0...: 4
        default: 1
        }
    }

    static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
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
