extension PatternParser {
    /// What stands behind a backslash, outside of brackets.
    mutating func escape() throws(PatternError) -> PatternPart {
        if take("b") { return .assertion(.wordBoundary) }
        if take("B") { return .assertion(.noWordBoundary) }
        if let next, ("1"..."9").contains(next) || next == "k" {
            throw PatternError("refers back to a group, which is not supported")
        }
        return .one(try escapedSet())
    }

    /// What stands between brackets; the `[` is taken.
    mutating func characterClass() throws(PatternError) -> ScalarSet {
        let isNegated = take("^")
        var set = ScalarSet()
        while !take("]") {
            let first = try classMember()
            guard next == "-", position + 1 < scalars.count, scalars[position + 1] != "]" else {
                set.insert(first.set)
                continue
            }
            position += 1
            let last = try classMember()
            guard let low = first.scalar, let high = last.scalar else {
                throw PatternError("has a range with a class of characters for an end")
            }
            guard low <= high else { throw PatternError("has the range \(low)-\(high), which runs backwards") }
            set.insert(low, through: high)
        }
        return isNegated ? set.inverted : set
    }

    private mutating func classMember() throws(PatternError) -> (set: ScalarSet, scalar: Unicode.Scalar?) {
        guard let scalar = next else { throw PatternError("has a [ without its ]") }
        position += 1
        guard scalar == "\\" else { return (.only(scalar), scalar) }
        if take("b") { return (.only("\u{8}"), "\u{8}") }
        if let single = try escapedScalar() { return (.only(single), single) }
        return (try escapedSet(), nil)
    }

    private mutating func escapedSet() throws(PatternError) -> ScalarSet {
        if let scalar = try escapedScalar() { return .only(scalar) }
        guard let scalar = next else { throw PatternError("ends with a backslash") }
        position += 1
        switch scalar {
        case "d": return .digits
        case "D": return .digits.inverted
        case "w": return .wordCharacters
        case "W": return .wordCharacters.inverted
        case "s": return .whitespace
        case "S": return .whitespace.inverted
        case "p": return try category()
        case "P": return try category().inverted
        default: throw PatternError("has \\\(scalar), which means nothing")
        }
    }

    private mutating func category() throws(PatternError) -> ScalarSet {
        guard take("{"), let end = scalars[position...].firstIndex(of: "}") else {
            throw PatternError("has \\p without {name}")
        }
        var name = ""
        name.unicodeScalars.append(contentsOf: scalars[position..<end])
        position = end + 1
        guard let categories = GeneralCategory.named(name) else {
            throw PatternError("has \\p{\(name)}; only general categories such as \\p{L} or \\p{Lu} are supported")
        }
        return ScalarSet(categories: categories)
    }

    /// An escape that stands for one character; `nil`, with nothing taken, for any other.
    private mutating func escapedScalar() throws(PatternError) -> Unicode.Scalar? {
        guard let scalar = next else { return nil }
        let simple: [Unicode.Scalar: Unicode.Scalar] = [
            "t": "\t", "n": "\n", "r": "\r", "v": "\u{B}", "f": "\u{C}", "0": "\u{0}",
        ]
        if let control = simple[scalar] {
            position += 1
            if scalar == "0", next?.asciiDigit != nil { throw PatternError("has an octal escape") }
            return control
        }
        switch scalar {
        case "x":
            position += 1
            return try Self.scalar(try hex(digits: 2))
        case "u":
            position += 1
            return try unicodeEscape()
        case "c":
            guard position + 1 < scalars.count, scalars[position + 1].properties.isAlphabetic,
                scalars[position + 1].isASCII
            else { throw PatternError("has \\c without a letter") }
            position += 2
            return Unicode.Scalar(scalars[position - 1].value % 32)
        default:
            // Any sign may be written with a backslash, whether it needs one or not.
            guard scalar.isASCII, !ScalarSet.wordCharacters.contains(scalar) else { return nil }
            position += 1
            return scalar
        }
    }

    /// `\u0041`, `\u{1F600}`, or two of them that are a surrogate pair.
    private mutating func unicodeEscape() throws(PatternError) -> Unicode.Scalar {
        if take("{") {
            guard let end = scalars[position...].firstIndex(of: "}"), (1...6).contains(end - position) else {
                throw PatternError("has \\u{ without one to six digits and }")
            }
            let value = try hex(digits: end - position)
            position = end + 1
            return try Self.scalar(value)
        }
        let high = try hex(digits: 4)
        guard (0xD800...0xDBFF).contains(high), take("\\"), take("u") else { return try Self.scalar(high) }
        let low = try hex(digits: 4)
        guard (0xDC00...0xDFFF).contains(low) else { throw PatternError("has half of a surrogate pair") }
        return try Self.scalar(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    }

    private mutating func hex(digits: Int) throws(PatternError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard let digit = next.flatMap({ UInt32(String($0), radix: 16) }) else {
                throw PatternError("has an escape with too few hexadecimal digits")
            }
            value = value * 16 + digit
            position += 1
        }
        return value
    }

    private static func scalar(_ value: UInt32) throws(PatternError) -> Unicode.Scalar {
        guard let scalar = Unicode.Scalar(value) else { throw PatternError("has an escape that is no character") }
        return scalar
    }
}
