/// What a section is about, in its own words: its first sentences.
enum ExtractiveSummary {
    /// Three lines of a list.
    static let longest = 300

    /// Whole sentences as far as they fit; of a first sentence that does not, as many words as fit. Nil where there are no
    /// words.
    static func of(_ text: String) -> String? {
        var summary = ""
        for sentence in sentences(of: text) {
            let longer = summary.isEmpty ? sentence : summary + " " + sentence
            guard longer.count <= longest else { break }
            summary = longer
        }
        if summary.isEmpty { summary = words(of: text) }
        return summary.isEmpty ? nil : summary
    }

    /// The sentences at the beginning, with single spaces. One ends with a full stop, question or exclamation mark before
    /// white space and anything but a small letter ("e.g. this" goes on), or with the paragraph.
    private static func sentences(of text: String) -> [String] {
        // Enough for a summary and to see where its last sentence ends.
        let beginning = text.prefix(longest * 4)
        let sentences = paragraphs(of: beginning).flatMap { words in
            var sentences: [String] = []
            var sentence: [Substring] = []
            for (index, word) in words.enumerated() {
                sentence.append(word)
                let next = index + 1 < words.count ? words[index + 1].first : nil
                guard next == nil || (endsSentence(word) && next?.isLowercase == false) else { continue }
                sentences.append(sentence.joined(separator: " "))
                sentence = []
            }
            return sentences
        }
        // The last one may have been cut.
        return beginning.endIndex == text.endIndex ? sentences : sentences.dropLast()
    }

    private static func paragraphs(of text: Substring) -> [[Substring]] {
        var paragraphs: [[Substring]] = [[]]
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            let words = line.split(whereSeparator: \.isWhitespace)
            if words.isEmpty { paragraphs.append([]) } else { paragraphs[paragraphs.count - 1] += words }
        }
        return paragraphs.filter { !$0.isEmpty }
    }

    private static func endsSentence(_ word: Substring) -> Bool {
        let end = word.reversed().drop { ")]\"'”’".contains($0) }.first
        return end.map { ".!?…。".contains($0) } ?? false
    }

    /// As many words as fit, and a sign that there are more.
    private static func words(of text: String) -> String {
        var result = ""
        for word in text.prefix(longest * 4).split(whereSeparator: \.isWhitespace) {
            let longer = result.isEmpty ? String(word.prefix(longest - 2)) : result + " " + word
            guard longer.count <= longest - 2 else { break }
            result = longer
        }
        return result.isEmpty ? "" : result + " …"
    }
}
