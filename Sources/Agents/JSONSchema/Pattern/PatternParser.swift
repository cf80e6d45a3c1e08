/// The parts of a ``Pattern`` as they are written.
indirect enum PatternPart: Sendable, Hashable {
    case one(ScalarSet)
    case assertion(PatternAssertion)
    case sequence([PatternPart])
    case choice([PatternPart])
    case repeated(PatternPart, from: Int, to: Int?)
}

/// What a place in the text has to be.
enum PatternAssertion: Sendable, Hashable {
    case start, end, wordBoundary, noWordBoundary
}

/// Reads the regular expressions of ECMAScript, as JSON Schema has them, but for what cannot be matched in linear time.
struct PatternParser {
    /// Parentheses in one another: reading them is recursive.
    private static let deepest = 64

    let scalars: [Unicode.Scalar]
    var position = 0
    private var depth = 0

    init(_ text: String) {
        self.scalars = Array(text.unicodeScalars)
    }

    var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        position += 1
        return true
    }

    mutating func parse() throws(PatternError) -> PatternPart {
        let part = try choice()
        guard position == scalars.count else { throw PatternError("has a ) without its (") }
        return part
    }

    private mutating func choice() throws(PatternError) -> PatternPart {
        var choices = [try sequence()]
        while take("|") { choices.append(try sequence()) }
        return choices.count == 1 ? choices[0] : .choice(choices)
    }

    private mutating func sequence() throws(PatternError) -> PatternPart {
        var parts: [PatternPart] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            let part = try term()
            if case .assertion = part {
                parts.append(part)
            } else {
                parts.append(try repetition(of: part))
            }
        }
        return .sequence(parts)
    }

    private mutating func term() throws(PatternError) -> PatternPart {
        guard let scalar = next else { throw PatternError("ends too early") }
        position += 1
        switch scalar {
        case "^": return .assertion(.start)
        case "$": return .assertion(.end)
        case ".": return .one(.anyInLine)
        case "(": return try group()
        case "[": return .one(try characterClass())
        case "\\": return try escape()
        case "*", "+", "?": throw PatternError("repeats nothing with \(scalar)")
        default: return .one(.only(scalar))
        }
    }

    private mutating func group() throws(PatternError) -> PatternPart {
        guard depth < Self.deepest else { throw PatternError("has more than \(Self.deepest) groups in one another") }
        if take("?") {
            if !take(":") {
                guard take("<"), next != "=", next != "!" else {
                    throw PatternError("looks ahead or behind, which is not supported")
                }
                while let scalar = next, scalar != ">" {
                    guard ScalarSet.wordCharacters.contains(scalar) else { throw PatternError("has a bad group name") }
                    position += 1
                }
                guard take(">") else { throw PatternError("has a group name without its >") }
            }
        }
        depth += 1
        defer { depth -= 1 }
        let part = try choice()
        guard take(")") else { throw PatternError("has a ( without its )") }
        return part
    }

    /// Greedy or lazy is the same here: it is only asked whether there is a match.
    private mutating func repetition(of part: PatternPart) throws(PatternError) -> PatternPart {
        let bounds: (Int, Int?)
        switch next {
        case "*": bounds = (0, nil)
        case "+": bounds = (1, nil)
        case "?": bounds = (0, 1)
        case "{":
            guard let counted = try countedRepetition() else { return part }
            bounds = counted
        default: return part
        }
        position += 1
        _ = take("?")
        if let next, "*+?".unicodeScalars.contains(next) { throw PatternError("repeats a repetition with \(next)") }
        return .repeated(part, from: bounds.0, to: bounds.1)
    }

    /// `{2}`, `{2,}`, `{2,5}`; anything else in braces is text. Stops before the `}`.
    private mutating func countedRepetition() throws(PatternError) -> (Int, Int?)? {
        var end = position + 1
        func number() -> Int? {
            var value: Int?
            while end < scalars.count, let digit = scalars[end].asciiDigit {
                value = min((value ?? 0) * 10 + digit, Pattern.mostRepetitions + 1)
                end += 1
            }
            return value
        }
        guard let least = number(), end < scalars.count else { return nil }
        var most: Int? = least
        if scalars[end] == "," {
            end += 1
            most = number()
        }
        guard end < scalars.count, scalars[end] == "}" else { return nil }
        guard max(least, most ?? 0) <= Pattern.mostRepetitions else {
            throw PatternError("repeats more than \(Pattern.mostRepetitions) times")
        }
        if let most, most < least { throw PatternError("repeats at least \(least) and at most \(most) times") }
        position = end
        return (least, most)
    }
}

extension Unicode.Scalar {
    var asciiDigit: Int? { ("0"..."9").contains(self) ? Int(value - 0x30) : nil }
}
