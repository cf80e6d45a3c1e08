/// A heading without what is not its name: `20.3.1. Connection Settings`, `Chapter 5. Indexes`, `work_mem (integer)`.
struct Heading {
    /// In lower case with single spaces.
    let name: String

    init(_ heading: String) {
        var words = heading.lowercased().split(whereSeparator: \.isWhitespace)[...]
        if words.count > 1, let first = words.first, ["chapter", "part", "appendix", "section"].contains(first) {
            words = Self.isNumber(words[words.startIndex + 1]) ? words.dropFirst() : words
        }
        if words.count > 1, let first = words.first, Self.isNumber(first) { words = words.dropFirst() }
        if words.count > 1, let last = words.last, last.first == "(", last.last == ")" { words = words.dropLast() }
        name = words.joined(separator: " ")
    }

    /// Whether it stands over pages that every manual has and nobody means: what changed, who helped, where words occur.
    /// One that is asked for by a word of its name is meant.
    func isBackMatter(unless asked: String) -> Bool {
        Self.backMatter.contains { title in
            guard name == title || (title.contains(" ") && (name.hasPrefix(title + " ") || name.hasSuffix(" " + title))) else {
                return false
            }
            let askedWords = asked.split(separator: " ")
            return !title.split(separator: " ").contains(where: askedWords.contains)
        }
    }

    /// `5.`, `20.3.1.`, `20.3.1`, `e.21.3.`, `iv.`; `9` alone is a name.
    private static func isNumber(_ word: Substring) -> Bool {
        guard word.contains(".") else { return false }
        return word.split(separator: ".").allSatisfy { part in
            part.utf8.allSatisfy(Words.isDigit) || part.utf8.count == 1 || part.allSatisfy("ivxlc".contains)
        }
    }

    private static let backMatter = [
        "release notes", "changelog", "change log", "what's new", "what’s new", "acknowledgments", "acknowledgements",
        "legal notice", "copyright", "license", "licence", "bibliography", "index", "general index",
    ]
}
