/// Finds a model's quotation in a text. The stored words decide; only what models cannot help changing may differ: white
/// space, the shape of quotation marks and dashes, and the marks of Markdown around words.
package enum Verbatim {
    /// Fewer bytes support nothing: `the` stands in every section.
    private static let shortest = 8
    /// Words quoted as `a … b` are cited from the first to the last, unless they are so many bytes apart.
    private static let longestSpan = 600

    /// The quoted words as they stand in the text; nil when they do not.
    package static func find(_ quote: String, in text: String) -> String? {
        range(of: quote, in: text).map { String(text[$0]) }
    }

    /// Where the quoted words stand.
    package static func range(of quote: String, in text: String) -> Range<String.Index>? {
        let folded = Folded(text)
        if let range = folded.range(of: Folded(quote).bytes) { return folded.original(range) }
        let parts = parts(of: quote).map { Folded($0).bytes }
        guard parts.count > 1, parts.allSatisfy({ $0.count >= shortest }) else { return nil }
        var ranges: [Range<Int>] = []
        for part in parts {
            guard let range = folded.range(of: part, from: ranges.last?.upperBound ?? 0) else { return nil }
            ranges.append(range)
        }
        let span = ranges[0].lowerBound..<ranges[ranges.count - 1].upperBound
        if span.count <= longestSpan { return folded.original(span) }
        return ranges.max { $0.count < $1.count }.map(folded.original)
    }

    /// What stands around `…`, `...`, `[...]` or between two quotations in one mark.
    private static func parts(of quote: String) -> [String] {
        ["[...]", "[…]", "(...)", "...", "\", \"", "\" \"", "\"; \"", "\" and \""]
            .reduce(quote) { $0.replacing($1, with: "…") }
            .split(separator: "…").map(trimmed).filter { !$0.isEmpty }
    }

    private static func trimmed(_ part: Substring) -> String {
        var part = part.drop(while: \.isWhitespace)
        while part.last?.isWhitespace == true { part.removeLast() }
        return String(part)
    }

    /// A text's bytes in the form in which quotations are compared, and where each came from.
    private struct Folded {
        private(set) var bytes: [UInt8] = []
        private var origins: [Int] = []
        private var ends: [Int] = []
        private let text: String

        init(_ text: String) {
            self.text = text
            var offset = 0
            for scalar in text.unicodeScalars {
                let start = offset
                offset += UTF8.width(scalar)
                switch scalar {
                case "`", "*": continue
                case "’", "‘", "‚": append("'", start, offset)
                case "“", "”", "„", "«", "»": append("\"", start, offset)
                case "–", "—", "‑", "−": append("-", start, offset)
                case _ where scalar.properties.isWhitespace:
                    if let last = bytes.last, last != UInt8(ascii: " ") { append(" ", start, offset) }
                default: append(scalar, start, offset)
                }
            }
            if bytes.last == UInt8(ascii: " ") { bytes.removeLast() }
        }

        private mutating func append(_ scalar: Unicode.Scalar, _ start: Int, _ end: Int) {
            for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
                bytes.append(byte)
                origins.append(start)
                ends.append(end)
            }
        }

        func range(of sought: [UInt8], from start: Int = 0) -> Range<Int>? {
            guard sought.count >= shortest, bytes.count >= sought.count, start <= bytes.count - sought.count else {
                return nil
            }
            for index in start...(bytes.count - sought.count) where bytes[index] == sought[0] {
                if bytes[index..<(index + sought.count)].elementsEqual(sought) { return index..<(index + sought.count) }
            }
            return nil
        }

        func original(_ range: Range<Int>) -> Range<String.Index> {
            let start = text.utf8.index(text.startIndex, offsetBy: origins[range.lowerBound])
            let end = text.utf8.index(text.startIndex, offsetBy: ends[range.upperBound - 1])
            return start..<end
        }
    }
}
