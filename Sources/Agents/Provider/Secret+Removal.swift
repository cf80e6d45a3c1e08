extension Secret {
    /// `text` without the key, without parts of it of eight characters or more, and without words that begin as keys do (`sk-…`).
    /// All else stays as it is, so JSON remains JSON: for what is kept, where ``redact(_:_:)`` is for what is shown.
    static func removed(from text: String, _ secret: Secret?) -> String {
        let bytes = Array(text.utf8)
        let parts = secret?.parts ?? []
        var kept: [UInt8] = []
        kept.reserveCapacity(bytes.count)
        var position = 0
        while position < bytes.count {
            let end = max(secretEnd(in: bytes, from: position, parts), wordEnd(in: bytes, from: position))
            if end > position {
                kept += "(removed)".utf8
                position = end
            } else {
                kept.append(bytes[position])
                position += 1
            }
        }
        return String(decoding: kept, as: UTF8.self)
    }

    /// Every eight characters in a row of the key; a shorter key as a whole is not worth hiding in a file.
    private var parts: Set<[UInt8]> {
        let key = Array(reveal().utf8)
        guard key.count >= 8 else { return [] }
        return Set((0...(key.count - 8)).map { Array(key[$0..<($0 + 8)]) })
    }

    /// The end of a part of the key that begins here; `position` if none does.
    private static func secretEnd(in bytes: [UInt8], from position: Int, _ parts: Set<[UInt8]>) -> Int {
        var end = position
        while !parts.isEmpty, end + 8 <= bytes.count, parts.contains(Array(bytes[end..<(end + 8)])) { end += 1 }
        return end == position ? position : end + 7
    }

    /// The end of a word like `sk-abcdefgh` that begins here; `position` if none does.
    private static func wordEnd(in bytes: [UInt8], from position: Int) -> Int {
        func isPart(_ byte: UInt8) -> Bool {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"): true
            default: false
            }
        }
        guard bytes[position...].starts(with: "sk-".utf8), position == 0 || !isPart(bytes[position - 1]) else {
            return position
        }
        let end = bytes[position...].firstIndex { !isPart($0) } ?? bytes.count
        return end - position >= 11 ? end : position
    }
}
