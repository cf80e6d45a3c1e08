import Postgres

/// What a query's words were looked up as.
struct Meaning {
    /// For each misspelt word the likeliest it may mean.
    let corrections: [String: String]
    private let stems: Set<String>
    /// Which bytes a stem begins with; spares looking up most words of a text.
    private let beginnings: Set<UInt8>

    /// - Parameters:
    ///   - words: the query's words as they were typed.
    ///   - stems: what these, or what they may mean, come to without their endings.
    init(words: [String] = [], stems: [String] = [], corrections: [String: String] = [:]) {
        self.corrections = corrections
        self.stems = Set(words).union(stems)
        beginnings = Set(self.stems.compactMap(\.utf8.first))
    }

    /// Reads it from a row of the search, each of which says the same.
    init(_ row: Row, of query: SearchQuery) throws(PostgresError) {
        let given = try row["misspelt", as: [String].self]
        let meant = try row["meant", as: [String].self]
        self.init(
            words: query.terms.map(\.word),
            stems: try row["stems", as: [String].self],
            // The likeliest comes first.
            corrections: Dictionary(zip(given, meant), uniquingKeysWith: { first, _ in first })
        )
    }

    /// The looked up word that this one is a form of; nil when it is of none. An inflected form counts when it begins
    /// with a stem: the stemmer cuts endings, so the comparison is right but for a few irregular words, and needs no
    /// dictionary.
    func stem(of word: String) -> String? {
        guard let first = word.utf8.first, beginnings.contains(first) else { return nil }
        if stems.contains(word) { return word }
        // Shorter words have no endings to cut.
        guard word.utf8.count > 3 else { return nil }
        var stem = Substring(word)
        // As much as is cut from `authentication`, and never to fewer than three letters.
        for _ in 0..<min(7, word.utf8.count - 3) {
            stem = stem.dropLast()
            if stems.contains(String(stem)) { return String(stem) }
            // `query` and `queries` are cut to `queri`.
            if word.hasSuffix("y"), stem.utf8.count == word.utf8.count - 1, stems.contains(stem + "i") {
                return stem + "i"
            }
        }
        return nil
    }
}
