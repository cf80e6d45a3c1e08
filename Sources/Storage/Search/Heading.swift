/// A heading without what is not its name: `20.3.1. Connection Settings`, `Chapter 5. Indexes`, `work_mem (integer)`.
struct Heading {
    /// In lower case with single spaces.
    let name: String

    init(_ heading: String) {
        var words = heading.lowercased().utf8.split { $0 <= UInt8(ascii: " ") }.map { Substring($0) }[...]
        if words.count > 1, ["chapter", "part", "appendix", "section"].contains(words[0]), Self.isNumber(words[1]) {
            words = words.dropFirst()
        }
        if words.count > 1, let first = words.first, Self.isNumber(first) { words = words.dropFirst() }
        if words.count > 1, let last = words.last, last.first == "(", last.last == ")" { words = words.dropLast() }
        name = words.joined(separator: " ")
    }

    /// `5.`, `20.3.1.`, `20.3.1`, `e.21.3.`, `iv.`; `9` alone is a name.
    private static func isNumber(_ word: Substring) -> Bool {
        guard word.utf8.contains(UInt8(ascii: ".")) else { return false }
        return word.utf8.split(separator: UInt8(ascii: ".")).allSatisfy { part in
            part.count == 1 || part.allSatisfy(Words.isDigit) || part.allSatisfy("ivxlc".utf8.contains)
        }
    }
}
