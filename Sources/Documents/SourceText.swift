/// Bytes of a file made fit to parse: valid UTF-8, lines ended by LF, and nothing invisible.
///
/// Everything after this stage copies bytes between ASCII delimiters, so what is valid here stays valid.
enum SourceText {
    /// Decodes, repairs and cleans. The result is never longer than the repaired UTF-8.
    static func decode(_ bytes: [UInt8]) throws(DocumentError) -> [UInt8] {
        if bytes.starts(with: [0xFF, 0xFE]) { return clean(utf16(bytes, low: 0, high: 1)) }
        if bytes.starts(with: [0xFE, 0xFF]) { return clean(utf16(bytes, low: 1, high: 0)) }
        guard !isBinary(bytes) else { throw .notText }
        // Valid UTF-8 is taken as such whatever the page declares: the declaration is wrong more often than Latin-1
        // happens to be valid UTF-8.
        if String(validating: bytes, as: UTF8.self) == nil {
            return clean(declaresLatin1(bytes) ? latin1(bytes) : Array(String(decoding: bytes, as: UTF8.self).utf8))
        }
        return clean(bytes)
    }

    /// What is left of a scalar in readable text: controls and invisible formatting vanish, every space is a space.
    static func cleaned(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
        switch scalar.value {
        case 0x09, 0x0A: scalar
        case 0x0C, 0x0D, 0xA0: " "
        case 0x2028, 0x2029: "\n"
        case 0..<0x20, 0x7F..<0xA0, 0xAD, 0x200B, 0xFEFF: nil
        default: scalar
        }
    }

    /// Text has next to no control characters; images, archives and UTF-16 without its mark have many at once.
    private static func isBinary(_ bytes: [UInt8]) -> Bool {
        let sample = bytes.prefix(4096)
        let controls = sample.count { $0 < 0x20 && !(0x09...0x0D).contains($0) && $0 != 0x1B }
        return controls > 0 && controls * 16 >= sample.count
    }

    private static func utf16(_ bytes: [UInt8], low: Int, high: Int) -> [UInt8] {
        let units = stride(from: 2, to: bytes.count - 1, by: 2)
            .map { UInt16(bytes[$0 + low]) | UInt16(bytes[$0 + high]) << 8 }
        return Array(String(decoding: units, as: UTF16.self).utf8)
    }

    /// The bytes 0x80–0x9F as every browser reads them when a page says Latin-1 (WHATWG Encoding, windows-1252).
    static let windows1252: [UInt16] = [
        0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D,
        0x017D, 0x8F, 0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A,
        0x0153, 0x9D, 0x017E, 0x0178,
    ]

    private static func latin1(_ bytes: [UInt8]) -> [UInt8] {
        let units = bytes.map { (0x80..<0xA0).contains($0) ? windows1252[Int($0) - 0x80] : UInt16($0) }
        return Array(String(decoding: units, as: UTF16.self).utf8)
    }

    /// Looks where the HTML standard says a declaration must be: in the first 1,024 bytes.
    private static func declaresLatin1(_ bytes: [UInt8]) -> Bool {
        let head = String(decoding: bytes.prefix(1024), as: UTF8.self).lowercased()
        for key in ["charset=", "encoding="] {
            for piece in head.split(separator: key).dropFirst() {
                let value = piece.drop { $0 == "\"" || $0 == "'" || $0 == " " }
                if ["iso-8859-1", "latin1", "latin-1", "windows-1252", "cp1252"].contains(where: value.hasPrefix) {
                    return true
                }
            }
        }
        return false
    }

    /// Compacts in place: CR LF and CR become LF, and ``cleaned(_:)`` holds for every scalar.
    private static func clean(_ source: [UInt8]) -> [UInt8] {
        var bytes = source
        var read = 0
        var written = 0
        while read < bytes.count {
            let byte = bytes[read]
            switch byte {
            case 0x20..<0x7F, 0x09, 0x0A:
                bytes[written] = byte
            case 0x0D where read + 1 < bytes.count && bytes[read + 1] == 0x0A:
                written -= 1
            case 0x0D:
                bytes[written] = 0x0A
            case 0x0C:
                bytes[written] = 0x20
            case 0..<0x20, 0x7F:
                written -= 1
            case 0xC2, 0xE2, 0xEF:  // the lead bytes of what `cleaned` changes
                let length = byte == 0xC2 ? 2 : 3
                written += replaceScalar(at: read, length: length, in: &bytes, to: written)
                read += length
                continue
            default:
                bytes[written] = byte
            }
            read += 1
            written += 1
        }
        bytes.removeSubrange(written...)
        return bytes
    }

    /// Moves one scalar of two or three bytes and returns how many were kept.
    private static func replaceScalar(at read: Int, length: Int, in bytes: inout [UInt8], to written: Int) -> Int {
        let code =
            length == 2
            ? UInt32(bytes[read] & 0x1F) << 6 | UInt32(bytes[read + 1] & 0x3F)
            : UInt32(bytes[read] & 0x0F) << 12 | UInt32(bytes[read + 1] & 0x3F) << 6 | UInt32(bytes[read + 2] & 0x3F)
        guard let scalar = Unicode.Scalar(code), let kept = cleaned(scalar) else { return 0 }
        var count = 0
        for byte in UTF8.encode(kept) ?? UTF8.encodedReplacementCharacter {
            bytes[written + count] = byte
            count += 1
        }
        return count
    }
}

extension UInt8 {
    /// A space, tab, newline: the only white space that is left after cleaning.
    var isSpace: Bool { self == 0x20 || self == 0x0A || self == 0x09 }
    var isDigit: Bool { self >= 0x30 && self <= 0x39 }
    var isLetter: Bool { (self | 0x20) >= 0x61 && (self | 0x20) <= 0x7A }
    var isAlphanumeric: Bool { isDigit || isLetter }
    /// ASCII punctuation as CommonMark 2.1 has it.
    var isPunctuation: Bool { self > 0x20 && self < 0x7F && !isAlphanumeric }
    var lowercased: UInt8 { self >= 0x41 && self <= 0x5A ? self | 0x20 : self }
}

extension ArraySlice<UInt8> {
    /// Without white space at both ends.
    func trimmed() -> ArraySlice<UInt8> {
        drop { $0.isSpace }.trimmedAtEnd()
    }

    /// Without white space at the end.
    func trimmedAtEnd() -> ArraySlice<UInt8> {
        var slice = self
        while let last = slice.last, last.isSpace { slice.removeLast() }
        return slice
    }
}
