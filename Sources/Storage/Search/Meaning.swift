import Postgres

/// What a query's words were looked up as.
struct Meaning {
    /// For each misspelt word the likeliest it may mean.
    let corrections: [String: String]
    /// For each word and stem the place of the term it stands for.
    private let terms: [String: Int]
    /// Which bytes a stem begins with; spares looking up most words of a text.
    private let beginnings: Set<UInt8>

    /// - Parameters:
    ///   - words: the query's words as they were typed.
    ///   - stems: what these, or what they may mean, come to without their endings, each with its term's place.
    init(words: [String] = [], stems: [(stem: String, place: Int)] = [], corrections: [String: String] = [:]) {
        self.corrections = corrections
        let given = zip(words, words.indices).map { ($0, $1) } + stems.map { ($0.stem, $0.place) }
        terms = Dictionary(given, uniquingKeysWith: { first, _ in first })
        beginnings = Set(terms.keys.compactMap(\.utf8.first))
    }

    /// Reads it from a row of the search, each of which says the same.
    init(_ row: Row, of query: SearchQuery) throws(PostgresError) {
        let stems = try row["stems", as: [String].self]
        let places = try row["places", as: [Int32].self]
        let given = try row["misspelt", as: [String].self]
        let meant = try row["meant", as: [String].self]
        self.init(
            words: query.terms.map(\.word),
            stems: zip(stems, places).map { ($0, Int($1)) },
            // The likeliest comes first.
            corrections: Dictionary(zip(given, meant), uniquingKeysWith: { first, _ in first })
        )
    }

    /// The place of the term that this word is a form of; nil when it is of none. An inflected form counts when it begins
    /// with a stem: the stemmer cuts endings, so the comparison is right but for a few irregular words, and needs no
    /// dictionary.
    func term(of word: String) -> Int? {
        guard let first = word.utf8.first, beginnings.contains(first) else { return nil }
        if let term = terms[word] { return term }
        // Shorter words have no endings to cut.
        guard word.utf8.count > 3 else { return nil }
        // `query` is cut to `queri`, as `queries` is.
        if word.utf8.last == UInt8(ascii: "y"), let term = terms[word.dropLast() + "i"] { return term }
        var stem = Substring(word)
        // As much as is cut from `authentication`, and never to fewer than three letters.
        for _ in 0..<min(7, word.utf8.count - 3) {
            stem = stem.dropLast()
            if let term = terms[String(stem)] { return term }
        }
        return nil
    }
}
