/// What somebody typed, as the words to look up and what each is worth.
struct SearchQuery {
    /// Words of a query that are looked up. A long question has some dozens; a pasted page is cut.
    static let maximumWords = 64
    /// Words, from the first, that may be corrected: each unknown one costs milliseconds, and a pasted page has many.
    static let maximumCorrected = 16

    /// A word to look up.
    struct Term: Equatable {
        var word: String
        var factor: Double
        /// A misspelling of it may be meant: capitals and operators are taken literally.
        var mayBeMisspelt: Bool
        /// A sharper form of a word that is looked up too, such as the capitals: no loss when nothing is written so.
        var isExtra: Bool
        /// It is a word of the language that says something: not one that phrases the question, and no sharper form.
        var tells: Bool
    }

    /// Another word a section may hold in place of a term.
    struct Alternative: Equatable {
        /// The term's place in `terms`.
        var term: Int
        var word: String
        /// How much of the term's score it earns.
        var confidence: Double
    }

    /// What a synonym earns: half, so that the asked word itself comes before it even where it is less rare.
    private static let synonym = 0.5
    /// What `checkpoint` earns for each of `check` and `point`: together more than one of them alone.
    private static let joined = 0.6

    let terms: [Term]
    let alternatives: [Alternative]
    /// The query in lower case with single spaces and without punctuation, to be found as it is.
    let phrase: String

    init(_ text: String) {
        let words = Words.of(text)
        let telling = words.filter { !StopWords.contains($0.text) }
        // "WHERE" or "in" alone is meant, not noise.
        let used = telling.contains(where: { $0.kind != .capitals }) ? telling : words
        var places: [String: Int] = [:]
        var terms: [Term] = []
        for word in used where terms.count < Self.maximumWords && places[word.text] == nil {
            places[word.text] = terms.count
            terms.append(Term(word, isCorrected: terms.count < Self.maximumCorrected))
        }
        self.terms = terms
        alternatives = Self.synonyms(places) + Self.compounds(words, places)
        phrase = text.lowercased().split { $0.isWhitespace || "?!.,;\"'".contains($0) }.joined(separator: " ")
    }

    private static func synonyms(_ places: [String: Int]) -> [Alternative] {
        places.sorted { $0.value < $1.value }.flatMap { word, place in
            Synonyms.of(word).map { Alternative(term: place, word: $0, confidence: synonym) }
        }
    }

    /// Two neighbouring words may be written as one: `check point`, `work mem`, `pg dump`, `time-out`.
    private static func compounds(_ words: [Words.Word], _ places: [String: Int]) -> [Alternative] {
        let plain = words.filter { $0.kind == .plain }.prefix(maximumWords)
        return zip(plain, plain.dropFirst()).flatMap { first, second in
            ["", "_", "-"].flatMap { joint in
                [first, second].compactMap { places[$0.text] }.map {
                    Alternative(term: $0, word: first.text + joint + second.text, confidence: joined)
                }
            }
        }
    }
}

extension SearchQuery.Term {
    init(_ word: Words.Word, isCorrected: Bool) {
        self.word = word.text
        factor = word.kind == .plain && StopWords.isFiller(word.text) ? Self.filler : Self.factor(word.kind)
        switch word.kind {
        case .plain, .identifier, .part:
            // Three letters are too few to tell a slip from another word, and numbers have no misspellings.
            mayBeMisspelt = isCorrected && word.text.utf8.count >= 4 && !word.text.utf8.allSatisfy(Words.isDigit)
        default: mayBeMisspelt = false
        }
        isExtra = [.capitals, .function, .command].contains(word.kind)
        tells = word.kind == .part || (word.kind == .plain && !StopWords.isFiller(word.text))
    }

    /// What a word that phrases a question is worth: enough for it to find something when it is asked alone.
    private static let filler = 0.5

    /// The whole of a compound says more than its parts, which are looked up for texts that write them apart.
    private static func factor(_ kind: Words.Kind) -> Double {
        switch kind {
        case .plain: 1
        case .identifier, .function, .command: 1.3
        case .part: 0.35
        case .capitals: 0.5
        case .operation: 0.8
        }
    }
}
