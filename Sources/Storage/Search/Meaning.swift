import Postgres

/// What a query's words were looked up as.
struct Meaning {
    /// What a word stands for.
    struct Use {
        /// The place of the term.
        var term: Int
        /// How surely it is meant: 1 for the term itself, less for a synonym or a correction.
        var confidence: Double
    }

    /// The most letters that an ending has, as in `authentication`.
    static let longestEnding = 7

    /// For each misspelt word the likeliest it may mean.
    let corrections: [String: String]
    /// For each word and stem what it stands for.
    let uses: [String: Use]
    /// Which bytes a stem begins with; spares looking up most words of a text.
    private let beginnings: Set<UInt8>

    /// - Parameters:
    ///   - words: the query's words as they were typed.
    ///   - stems: what these, or what they may mean, come to without their endings.
    init(words: [String] = [], stems: [(stem: String, use: Use)] = [], corrections: [String: String] = [:]) {
        self.corrections = corrections
        let given = zip(words, words.indices).map { ($0, Use(term: $1, confidence: 1)) }
        uses = Dictionary(
            given + stems.map { ($0.stem, $0.use) },
            uniquingKeysWith: { first, second in second.confidence > first.confidence ? second : first }
        )
        beginnings = Set(uses.keys.compactMap(\.utf8.first))
    }

    /// Reads it from a row of the search, each of which says the same.
    init(_ row: Row, of query: SearchQuery) throws(PostgresError) {
        let stems = try row["stems", as: [String].self]
        let places = try row["places", as: [Int32].self]
        let confidences = try row["confidences", as: [Double].self]
        let given = try row["misspelt", as: [String].self]
        let meant = try row["meant", as: [String].self]
        self.init(
            words: query.terms.map(\.word),
            stems: zip(stems, zip(places, confidences)).map { ($0, Use(term: Int($1.0), confidence: $1.1)) },
            // The likeliest comes first.
            corrections: Dictionary(zip(given, meant), uniquingKeysWith: { first, _ in first })
        )
    }

    /// The place of the term that this word is a form of; nil when it is of none.
    func term(of word: String) -> Int? { use(of: word)?.term }

    /// What this word, a form of it, or what it may stand for was looked up as. An inflected form counts when it begins with
    /// a stem: the stemmer cuts endings, so the comparison is right but for a few irregular words, and needs no dictionary.
    func use(of word: String) -> Use? {
        guard let first = word.utf8.first, beginnings.contains(first) else { return nil }
        if let use = uses[word] { return use }
        // Shorter words have no endings to cut.
        guard word.utf8.count > 3 else { return nil }
        // `query` is cut to `queri`, as `queries` is.
        if word.utf8.last == UInt8(ascii: "y"), let use = uses[word.dropLast() + "i"] { return use }
        var stem = Substring(word)
        // As much as is cut from the longest, and never to fewer than three letters.
        for _ in 0..<min(Self.longestEnding, word.utf8.count - 3) {
            stem = stem.dropLast()
            if let use = uses[String(stem)] { return use }
        }
        return nil
    }
}
