/// Cuts a model's text, as it comes, into claims with their marks. Pure.
struct ClaimSplitter {
    /// `[[12: "words"]]` or `[[12]]`.
    struct Mark: Equatable {
        var section: Int
        var quote: String?
    }

    /// A piece of text that stands or falls as a whole.
    struct Claim: Equatable {
        /// With the white space around it, without its marks.
        var text: String
        var marks: [Mark]

        /// A heading, or a line that announces what follows: no claim of its own.
        var isLeadIn: Bool {
            guard marks.isEmpty else { return false }
            let trimmed = Substring(text).trimmingWhitespace()
            return trimmed.hasPrefix("#") || trimmed.hasSuffix(":") || trimmed.isEmpty
        }

        /// Nothing that could be dropped.
        var isBlank: Bool { !text.contains(where: { $0.isLetter || $0.isNumber }) }

        /// The text, and the white space at its end.
        func splitTrailingSpace() -> (body: String, space: String) {
            let body = text.prefix(upTo: text.lastIndex { !$0.isWhitespace }.map(text.index(after:)) ?? text.startIndex)
            return (String(body), String(text[body.endIndex...]))
        }
    }

    private var buffer = ""

    mutating func append(_ text: String, limit: Int) {
        buffer += text
        // A model that never ends a sentence must not grow the buffer: what is over the limit is one claim.
        if buffer.utf8.count > limit, !buffer.contains("\n") { buffer += "\n" }
    }

    /// The claims whose end is certain: another character than a mark or white space follows.
    mutating func finishedClaims() -> [Claim] {
        var claims: [Claim] = []
        while let (claim, rest) = firstClaim(final: false) {
            claims.append(claim)
            buffer = String(rest)
        }
        return claims
    }

    /// What is left when no more text comes.
    mutating func remainingClaims() -> [Claim] {
        var claims = finishedClaims()
        while !buffer.isEmpty, let (claim, rest) = firstClaim(final: true) {
            claims.append(claim)
            buffer = String(rest)
        }
        return claims
    }

    private func firstClaim(final: Bool) -> (Claim, Substring)? {
        guard !buffer.isEmpty else { return nil }
        let start = buffer[...]
        let leading = start.prefix(while: \.isWhitespace)
        let body = start[leading.endIndex...]
        if body.isEmpty { return final ? (Claim(text: buffer, marks: []), "") : nil }
        guard let bodyEnd = body.hasPrefix("```") ? codeEnd(body, final: final) : sentenceEnd(body, final: final) else {
            return nil
        }
        return takeMarks(after: bodyEnd, final: final)
    }

    /// Behind the closing fence of a block of code.
    private func codeEnd(_ body: Substring, final: Bool) -> String.Index? {
        let inside = body.dropFirst(3)
        if let close = inside.firstRange(of: "\n```") { return close.upperBound }
        return final ? body.endIndex : nil
    }

    /// Behind the sentence's point, or before a line's end, or before a mark; nil while more text may still belong to it.
    private func sentenceEnd(_ body: Substring, final: Bool) -> String.Index? {
        let line = body.prefix { !$0.isNewline }
        var end = Sentences.end(of: line)
        if let mark = line.firstRange(of: "[["), end.map({ mark.lowerBound < $0 }) ?? true { end = mark.lowerBound }
        if let end { return end }
        if line.endIndex < body.endIndex { return line.endIndex }
        return final ? body.endIndex : nil
    }

    /// Reads marks, and a point that stands behind them; certain only when something else follows.
    private func takeMarks(after end: String.Index, final: Bool) -> (Claim, Substring)? {
        var marks: [Mark] = []
        var text = String(buffer[..<end])
        var index = end
        while true {
            var next = index
            while next < buffer.endIndex, buffer[next] == " " { next = buffer.index(after: next) }
            let rest = buffer[next...]
            if rest.hasPrefix("[[") {
                guard let close = rest.firstRange(of: "]]") else {
                    if !final, rest.utf8.count < 4_000 { return nil }
                    return (Claim(text: text, marks: marks), "")
                }
                if let mark = Self.mark(rest[rest.index(rest.startIndex, offsetBy: 2)..<close.lowerBound]) { marks.append(mark) }
                index = close.upperBound
            } else if rest.isEmpty || rest == "[" {
                // The next piece may bring a mark.
                if !final { return nil }
                break
            } else if !marks.isEmpty, let first = rest.first, ".!?,;".contains(first), !text.hasSuffix(String(first)) {
                let (body, _) = Claim(text: text, marks: []).splitTrailingSpace()
                text = body + String(first)
                index = rest.index(after: rest.startIndex)
            } else {
                break
            }
        }
        if !marks.isEmpty { text = Claim(text: text, marks: []).splitTrailingSpace().body }
        var rest = buffer[index...]
        let space = rest.prefix(while: \.isWhitespace)
        text += space
        rest = rest[space.endIndex...]
        return (Claim(text: text, marks: marks), rest)
    }

    /// The inside of a mark.
    private static func mark(_ inside: Substring) -> Mark? {
        let digits = inside.drop { $0 == " " }.prefix(while: \.isNumber)
        guard let section = Int(digits) else { return nil }
        let rest = inside[digits.endIndex...].drop { " :,".contains($0) }.trimmingWhitespace()
        let quote = rest.drop { "\"“'«".contains($0) }
        var words = quote
        if words.endIndex > words.startIndex, quote.startIndex != rest.startIndex, let last = words.last, "\"”'»".contains(last) {
            words = words.dropLast()
        }
        return Mark(section: section, quote: words.isEmpty ? nil : String(words))
    }
}
