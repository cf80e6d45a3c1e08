/// The words of a text that carry its meaning, reduced so that `connection` and `connections` are one.
///
/// Cruder than the index of the storage service on purpose: it compares a few sentences with each other and has no
/// dictionary to ask.
enum ContentWords {
    /// Words that say nothing about the subject; also those that questions are made of.
    private static let ignored: Set<String> = Set(
        """
        a about after all also am an and any are as at be because been before being between both but by can could did do \
        does doing down during each few for from further had has have having he her here how i if in into is it its just \
        many may me might more most much must my need no not now of off on once only or other our out over own same shall \
        she should so some such than that the their them then there these they this those through to too under until up \
        us use used using very want was way we were what when where which while who why will with would you your tell \
        please explain mean means work works happen happens get gets
        """.split(separator: " ").map(String.init)
    )

    /// The reduced content words in order, repeated where they repeat.
    static func of(_ text: some StringProtocol) -> [String] {
        var words: [String] = []
        var current: [UInt8] = []
        func finish() {
            guard !current.isEmpty else { return }
            let word = String(decoding: current, as: UTF8.self).lowercased()
            current.removeAll(keepingCapacity: true)
            if !ignored.contains(word) { words.append(reduced(word)) }
        }
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), 0x80...: current.append(byte)
            default: finish()
            }
        }
        finish()
        return words
    }

    /// The word without the endings of number, tense and agent; identifiers and short words stay.
    static func reduced(_ word: String) -> String {
        guard word.utf8.count > 4, !word.utf8.contains(UInt8(ascii: "_")) else {
            return word.utf8.count > 3 && word.hasSuffix("s") && !word.hasSuffix("ss") ? String(word.dropLast()) : word
        }
        for ending in ["ations", "ation", "ings", "ions", "ing", "ion", "ies", "ers", "ed", "es", "er", "ly", "s", "e", "y"]
        where word.hasSuffix(ending) && word.utf8.count - ending.utf8.count >= 3 {
            if ending == "s", word.hasSuffix("ss") { return word }
            return withoutDoubledEnd(String(word.dropLast(ending.count)))
        }
        return word
    }

    /// `stopp` → `stop`, so that `stopping` and `stops` meet.
    private static func withoutDoubledEnd(_ stem: String) -> String {
        let end = stem.utf8.suffix(2)
        guard end.count == 2, end.first == end.last, stem.utf8.count > 3, end.first.map({ !Array("lsz".utf8).contains($0) }) == true
        else { return stem }
        return String(stem.dropLast())
    }
}
