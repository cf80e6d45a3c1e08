/// Where sentences end, in documentation and in answers: at `.`, `!` or `?` before white space, at `。`, `！` or `？`, and at
/// line ends.
enum Sentences {
    /// Abbreviations whose point ends no sentence.
    private static let abbreviations: Set<String> = [
        "e.g.", "i.e.", "etc.", "vs.", "cf.", "approx.", "no.", "fig.", "sec.",
    ]
    private static let closers: Set<Character> = [")", "]", "\"", "'", "”", "’", "»", "」", "』", "）"]

    /// The sentences of a text in order, trimmed; a line of a list or of code is one.
    static func of(_ text: Substring) -> [Substring] {
        var sentences: [Substring] = []
        for line in text.split(whereSeparator: \.isNewline) {
            var rest = line
            while let end = end(of: rest) {
                append(rest[..<end], to: &sentences)
                rest = rest[end...]
            }
            append(rest, to: &sentences)
        }
        return sentences
    }

    /// The index behind the first sentence of a line, when another character follows it.
    static func end(of line: Substring) -> Substring.Index? {
        var wordStart = line.startIndex
        var index = line.startIndex
        while index < line.endIndex {
            let character = line[index]
            let next = line.index(after: index)
            if character.isWhitespace {
                wordStart = next
            } else if isFullWidthStop(character) {
                let end = line[next...].drop(while: closers.contains).startIndex
                return end < line.endIndex ? end : nil
            } else if character == "." || character == "!" || character == "?" {
                let end = line[next...].drop(while: closers.contains).startIndex
                guard end < line.endIndex else { return nil }
                // `#!` and `!` by themselves are signs somebody writes about.
                let isInWord = character == "." || index > wordStart && line[line.index(before: index)].isLetter
                if line[end].isWhitespace, isInWord,
                    !isAbbreviation(line[wordStart..<next], atStart: wordStart == line.startIndex)
                {
                    return end
                }
            }
            index = next
        }
        return nil
    }

    private static func isFullWidthStop(_ character: Character) -> Bool {
        character == "。" || character == "！" || character == "？"
    }

    /// Whether a word with its point is an abbreviation, an initial, or the number of a list item (`1.`).
    private static func isAbbreviation(_ word: Substring, atStart: Bool) -> Bool {
        let bare = word.dropLast()
        if atStart, !bare.isEmpty, bare.allSatisfy(\.isNumber) { return true }
        if bare.count == 1, bare.first?.isUppercase == true { return true }
        return abbreviations.contains(word.lowercased().trimmingPrefix("(").description)
    }

    private static func append(_ sentence: Substring, to sentences: inout [Substring]) {
        let trimmed = sentence.trimmingWhitespace()
        if !trimmed.isEmpty { sentences.append(trimmed) }
    }
}

extension Substring {
    /// Without white space at either end.
    func trimmingWhitespace() -> Substring {
        var result = drop(while: \.isWhitespace)
        while let last = result.last, last.isWhitespace { result = result.dropLast() }
        return result
    }
}
