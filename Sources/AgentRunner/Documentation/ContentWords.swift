/// The words of a text that carry its meaning, reduced so that `connection` and `connections` are one.
///
/// Cruder than the index of the storage service on purpose: it compares a few sentences with each other and has no
/// dictionary to ask.
enum ContentWords {
    /// Words that say nothing about the subject; also those that questions are made of, and what is left of `isn't`.
    private static let ignored: Set<String> = Set(
        """
        a about after all also am an and any are as at be because been before being between both but by can could did do \
        does doing down during each few for from further had has have having he her here how i if in into is it its just \
        many may me might more most much must my need no not now of on once only or other our out over own per same \
        shall she should so some such than that the their them then there these they this those through to too under \
        until up us use used using very want was way we were what when where which while who whose why will with would \
        you your uses take takes taking took need needs needed tell please explain mean meaning means work works happen happens get gets give gives make makes possible \
        exactly let effect purpose called say says way ways thing things someone something anything kind kinds find know look keyword one available \
        s t d m ll re ve isn aren wasn weren doesn don didn hasn haven can cannot couldn shouldn wouldn
        """.split(whereSeparator: \.isWhitespace).map(String.init)
    )

    /// The reduced content words in order, repeated where they repeat. What is written in capitals among other words is
    /// meant: `WHERE` says more than where.
    static func of(_ text: some StringProtocol) -> [String] {
        written(in: text).compactMap { word in
            let lowered = word.lowercased()
            if ignored.contains(lowered), word.utf8.count < 2 || word.contains(where: { !$0.isUppercase }) {
                return nil
            }
            return reduced(lowered)
        }
    }

    /// Every word in lower case.
    static func all(in text: some StringProtocol) -> [String] {
        written(in: text).map { $0.lowercased() }
    }

    /// Every word as it is written. An identifier with underscores is one word, and so is a command such as `\d` and an
    /// operator such as `->>`; of scripts that write no spaces each character is one.
    static func written(in text: some StringProtocol) -> [String] {
        var words: [String] = []
        var current = ""
        var signs = ""
        func finish() {
            if isOperator(signs) { words.append(signs) }
            if !current.isEmpty, current != "\\" { words.append(current) }
            signs = ""
            current = ""
        }
        for scalar in text.unicodeScalars {
            if isSign(scalar) {
                if signs.isEmpty { finish() }
                signs.unicodeScalars.append(scalar)
                continue
            }
            if !signs.isEmpty { finish() }
            if isIdeographic(scalar) {
                finish()
                words.append(String(scalar))
            } else if isWord(scalar) {
                current.unicodeScalars.append(scalar)
            } else {
                finish()
                if scalar == "\\" { current = "\\" }
            }
        }
        finish()
        return words
    }

    /// The reduced words of a question that are names, not words of the language: what has a capital somewhere else than at
    /// the beginning, identifiers, and the parts of paths and the like (`/usr/local`, `pg_hba.conf`, `sha-256`).
    static func names(in question: String) -> Set<String> {
        var names: Set<String> = []
        for (index, piece) in question.split(whereSeparator: \.isWhitespace).enumerated() {
            let words = written(in: piece)
            let end = piece.lastIndex { !".,;:?!)'\"".contains($0) } ?? piece.startIndex
            let isJoined =
                piece[..<end].contains { "/.:(\\=".contains($0) }
                || words.count > 1 && words.contains(where: isIdentifier)
            for word in words
            where isJoined || isIdentifier(word)
                || (index == 0 ? word.dropFirst() : word[...]).contains(where: \.isUppercase)
            {
                names.insert(reduced(word.lowercased()))
            }
        }
        return names
    }

    /// Whether a word is a name by its form alone.
    static func isIdentifier(_ word: String) -> Bool {
        word.utf8.contains { $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "\\") || (0x30...0x39).contains($0) }
            || isOperator(word)
    }

    /// Two to four signs that are not a line of the same one, nor the end of a lively sentence.
    static func isOperator(_ word: String) -> Bool {
        guard (2...4).contains(word.utf8.count), word.unicodeScalars.allSatisfy(isSign) else { return false }
        return Set(word.utf8).count > 1 ? !word.utf8.allSatisfy("?!".utf8.contains) : ["||", "&&", "::"].contains(word)
    }

    private static func isSign(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII && "<>=!@#%^&|~?*+-:".unicodeScalars.contains(scalar)
    }

    /// The word without the endings of number, tense, agent and manner, so that `immediate` and `immediately`, `file` and
    /// `files` meet; identifiers stay.
    static func reduced(_ word: String) -> String {
        guard !word.utf8.contains(UInt8(ascii: "_")) else {
            return word.hasSuffix("s") && !word.hasSuffix("ss") ? String(word.dropLast()) : word
        }
        var stem = word
        // The endings of `operations` come off one by one.
        while let shorter = withoutEnding(stem) { stem = shorter }
        return stem
    }

    /// The longest first, so that each is taken whole.
    private static let endings = ["ation", "ings", "ies", "ing", "ion", "ed", "es", "er", "ly", "s", "e", "y"]

    private static func withoutEnding(_ word: String) -> String? {
        let ending = endings.first { word.hasSuffix($0) && word.utf8.count - $0.utf8.count >= 3 }
        guard let ending, !word.hasSuffix("ss") else { return nil }
        return withoutDoubledEnd(String(word.dropLast(ending.count)))
    }

    /// `stopp` → `stop`, so that `stopping` and `stops` meet.
    private static func withoutDoubledEnd(_ stem: String) -> String {
        let end = stem.utf8.suffix(2)
        guard end.count == 2, let last = end.last, end.first == last, stem.utf8.count > 3, !"lsz".utf8.contains(last)
        else { return stem }
        return String(stem.dropLast())
    }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x30...0x39, 0x41...0x5A, 0x5F, 0x61...0x7A: true
        case ..<0x80: false
        default: scalar.properties.isAlphabetic || scalar.properties.numericType != nil
        }
    }

    /// Chinese characters and kana: the blocks of the Unicode standard that hold them.
    private static func isIdeographic(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x3040...0x30FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x3FFFF: true
        default: false
        }
    }
}
