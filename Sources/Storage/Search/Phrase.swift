/// Some words, to be found in a text as they are: in any case, across the ends of lines.
struct Phrase {
    private let folded: [UInt8]

    init(_ words: String) {
        folded = words.utf8.map(Self.folded)
    }

    func stands(in text: String) -> Bool {
        guard let first = folded.first else { return false }
        var copy = text
        // Bytes, since comparing characters costs a hundred times as much, and this is done for every candidate.
        return copy.withUTF8 { bytes in
            guard bytes.count >= folded.count else { return false }
            for start in 0...(bytes.count - folded.count) where Self.folded(bytes[start]) == first {
                if (1..<folded.count).allSatisfy({ Self.folded(bytes[start + $0]) == folded[$0] }) { return true }
            }
            return false
        }
    }

    private static func folded(_ byte: UInt8) -> UInt8 {
        switch byte {
        case 0x41...0x5A: byte | 0x20
        case UInt8(ascii: "\n"), UInt8(ascii: "\t"): UInt8(ascii: " ")
        default: byte
        }
    }
}
