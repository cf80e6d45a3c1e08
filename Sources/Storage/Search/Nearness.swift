/// How near each other a query's neighbouring words stand in a text: `change column type` is answered where a column's type
/// is spoken of, not where columns and types are.
///
/// Works on bytes and makes no strings: it reads the whole text of every candidate.
struct Nearness {
    /// Words further apart than this have nothing to do with each other. Every step takes an equal share.
    private static let reach = 4

    private struct Stem {
        var bytes: [UInt8]
        var use: Meaning.Use
    }

    /// The places of terms that follow each other in the query.
    private let pairs: [(first: Int, second: Int)]
    private let terms: Int
    /// By their first byte.
    private let stems: [[Stem]]

    /// - Parameter terms: The places of the words that tell something, in order.
    init(of terms: [Int], meaning: Meaning) {
        pairs = zip(terms, terms.dropFirst()).map { ($0, $1) }
        self.terms = (terms.max() ?? -1) + 1
        var stems = [[Stem]](repeating: [], count: 256)
        let wanted = Set(terms)
        for (text, use) in meaning.uses where wanted.contains(use.term) {
            guard let first = text.utf8.first else { continue }
            stems[Int(first)].append(Stem(bytes: Array(text.utf8), use: use))
        }
        self.stems = stems
    }

    /// The share of the pairs that stand together, 0 to 1.
    func share(of text: String) -> Double {
        guard !pairs.isEmpty else { return 0 }
        var seen = Seen(terms: terms, pairs: pairs.count)
        var copy = text
        copy.withUTF8 { bytes in
            var index = 0
            while index < bytes.count {
                guard Self.isLetter(bytes[index]) else {
                    index += 1
                    continue
                }
                var end = index + 1
                while end < bytes.count, Self.isLetter(bytes[end]) { end += 1 }
                seen.position += 1
                if let use = use(of: UnsafeBufferPointer(rebasing: bytes[index..<end])) { note(use, &seen) }
                index = end
            }
        }
        return seen.best.reduce(0, +) / Double(pairs.count)
    }

    private struct Seen {
        var position = 0
        /// Where each term stood last, and how surely it was meant.
        var last: [(position: Int, confidence: Double)]
        var best: [Double]

        init(terms: Int, pairs: Int) {
            last = Array(repeating: (-1000, 0), count: terms)
            best = Array(repeating: 0, count: pairs)
        }
    }

    private func note(_ use: Meaning.Use, _ seen: inout Seen) {
        for (index, pair) in pairs.enumerated() where pair.first == use.term || pair.second == use.term {
            let other = seen.last[pair.first == use.term ? pair.second : pair.first]
            let distance = seen.position - other.position
            guard distance <= Self.reach else { continue }
            let value = min(other.confidence, use.confidence) * (1 - Double(distance - 1) / Double(Self.reach))
            seen.best[index] = max(seen.best[index], value)
        }
        seen.last[use.term] = (seen.position, use.confidence)
    }

    /// As ``Meaning/use(of:)``: the longest stem that the word begins with.
    private func use(of word: UnsafeBufferPointer<UInt8>) -> Meaning.Use? {
        var best: Stem?
        for stem in stems[Int(Self.lowered(word[0]))] where stem.bytes.count > best?.bytes.count ?? 0 {
            let rest = word.count - stem.bytes.count
            guard rest == 0 || (rest > 0 && rest <= Meaning.longestEnding && stem.bytes.count >= 3) else { continue }
            let last = stem.bytes.count - 1
            guard stem.bytes[..<last].indices.allSatisfy({ Self.lowered(word[$0]) == stem.bytes[$0] }) else { continue }
            let ends = Self.lowered(word[last])
            // `query` is cut to `queri`.
            if ends == stem.bytes[last]
                || (rest == 0 && ends == UInt8(ascii: "y") && stem.bytes[last] == UInt8(ascii: "i"))
            {
                best = stem
            }
        }
        return best?.use
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        byte >= 0x80 || Words.isDigit(byte) || (0x61...0x7A).contains(byte | 0x20)
    }

    private static func lowered(_ byte: UInt8) -> UInt8 {
        (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
    }
}
