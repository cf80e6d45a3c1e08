// Strings and numbers.
extension JSONScanner {
    /// Passes a string with both its quotes; true when it holds escapes.
    mutating func string() throws(ProtocolViolation) -> Bool {
        position += 1
        var escaped = false
        while true {
            skipPlain()
            let octet = peek()
            switch octet {
            case UInt8(ascii: "\""):
                position += 1
                return escaped
            case UInt8(ascii: "\\"):
                escaped = true
                try escape()
            case 0..<0x20: throw unexpected("the end of a string")
            case 0x20..<0x80: position += 1
            default: try multibyte(octet)
            }
        }
    }

    /// Passes eight octets at a time while none of them is a quote, a backslash, a control, or beyond ASCII.
    mutating func skipPlain() {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        while position + 8 <= octets.count {
            let word = UnsafeRawPointer(octets.baseAddress.unsafelyUnwrapped + position)
                .loadUnaligned(as: UInt64.self)
            let quote = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
            let backslash = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
            // x - n borrows into the top bit of an octet below n; a borrow from below only makes us look closer.
            let controls = (word &- ones &* 0x20) & ~word
            let quotes = (quote &- ones) & ~quote
            let backslashes = (backslash &- ones) & ~backslash
            if (controls | quotes | backslashes | word) & tops != 0 { return }
            position += 8
        }
    }

    private mutating func escape() throws(ProtocolViolation) {
        position += 1
        switch peek() {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 1
        case UInt8(ascii: "u"):
            position += 1
            try unicodeEscape()
        default: throw unexpected("the rest of an escape")
        }
    }

    private mutating func unicodeEscape() throws(ProtocolViolation) {
        switch try fourHexDigits() {
        case 0: throw ProtocolViolation(.nulCharacter, "a string holds U+0000")
        case 0xD800..<0xDC00:
            guard peek() == UInt8(ascii: "\\") else { throw loneSurrogate }
            position += 1
            guard peek() == UInt8(ascii: "u") else { throw loneSurrogate }
            position += 1
            guard (0xDC00..<0xE000).contains(try fourHexDigits()) else { throw loneSurrogate }
        case 0xDC00..<0xE000: throw loneSurrogate
        default: break
        }
    }

    private var loneSurrogate: ProtocolViolation {
        ProtocolViolation(.loneSurrogate, "a string holds half of a surrogate pair")
    }

    private mutating func fourHexDigits() throws(ProtocolViolation) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Self.hexDigit(peek()) else { throw unexpected("a hexadecimal digit") }
            value = value << 4 | digit
            position += 1
        }
        return value
    }

    private static func hexDigit(_ octet: UInt8) -> UInt32? {
        switch octet {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(octet - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(octet - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(octet - UInt8(ascii: "A") + 10)
        default: nil
        }
    }

    /// One character beyond ASCII: the well-formed sequences of the Unicode Standard, table 3-7. The first octet
    /// narrows the second, which rules out overlong forms, surrogates, and what lies beyond U+10FFFF.
    private mutating func multibyte(_ first: UInt8) throws(ProtocolViolation) {
        let second: ClosedRange<UInt8>
        let length: Int
        switch first {
        case 0xC2...0xDF: (second, length) = (0x80...0xBF, 2)
        case 0xE0: (second, length) = (0xA0...0xBF, 3)
        case 0xED: (second, length) = (0x80...0x9F, 3)
        case 0xE1...0xEF: (second, length) = (0x80...0xBF, 3)
        case 0xF0: (second, length) = (0x90...0xBF, 4)
        case 0xF1...0xF3: (second, length) = (0x80...0xBF, 4)
        case 0xF4: (second, length) = (0x80...0x8F, 4)
        default: throw invalidUTF8
        }
        position += 1
        guard second.contains(peek()) else { throw invalidUTF8 }
        position += 1
        for _ in 2..<length {
            guard (0x80...0xBF).contains(peek()) else { throw invalidUTF8 }
            position += 1
        }
    }

    private var invalidUTF8: ProtocolViolation {
        ProtocolViolation(.invalidUTF8, "not UTF-8 at octet \(position) of the payload")
    }

    /// `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`
    mutating func number() throws(ProtocolViolation) {
        if peek() == UInt8(ascii: "-") { position += 1 }
        if peek() == UInt8(ascii: "0") {
            position += 1
        } else {
            try digits()
        }
        if peek() == UInt8(ascii: ".") {
            position += 1
            try digits()
        }
        if peek() | 0x20 == UInt8(ascii: "e") {
            position += 1
            if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        // What may not follow a number, a second digit after "0" above all, is named as the number's fault.
        if (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(peek()) { throw badNumber }
    }

    private mutating func digits() throws(ProtocolViolation) {
        let start = position
        while (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(peek()) { position += 1 }
        guard position > start else { throw badNumber }
    }

    private var badNumber: ProtocolViolation {
        ProtocolViolation(.number, "not a JSON number at octet \(position) of the payload")
    }

    /// The characters of a string's inside that has passed the scanner; escapes need no checking any more.
    static func unescape(_ inside: some Sequence<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        var octets = inside.makeIterator()
        func hex() -> UInt32 {
            var value: UInt32 = 0
            for _ in 0..<4 { value = value << 4 | (octets.next().flatMap(hexDigit) ?? 0) }
            return value
        }
        while let octet = octets.next() {
            guard octet == UInt8(ascii: "\\") else {
                result.append(octet)
                continue
            }
            switch octets.next() {
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "u"):
                var scalar = hex()
                if (0xD800..<0xDC00).contains(scalar) {
                    _ = (octets.next(), octets.next())
                    // Wrapping, so that text nobody checked gives nonsense and no trap.
                    scalar = 0x10000 + (scalar - 0xD800) << 10 &+ (hex() &- 0xDC00)
                }
                if let scalar = Unicode.Scalar(scalar) {
                    result.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
                }
            case let plain?: result.append(plain)
            case nil: break
            }
        }
        return result
    }
}
