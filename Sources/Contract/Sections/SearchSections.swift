/// The sections that fit some words best, best first. Errors: `invalid_argument` when `query` is empty or over 1,000
/// characters, or `limit` not within 1 to 50.
public struct SearchSections: Operation {
    public static let name = "sections.search"
    public static let callers: Set<Role> = [.gateway, .agentRunner, .admin]

    /// What was found.
    public struct Result: Codable, Sendable, Equatable {
        public var hits: [Hit]
        /// Misspelt words of the query, and what was searched in their place.
        public var corrections: [String: String]

        public init(hits: [Hit], corrections: [String: String] = [:]) {
            self.hits = hits
            self.corrections = corrections
        }
    }

    /// A section that was found, with an excerpt in the place of its text.
    public struct Hit: Codable, Sendable, Equatable {
        public var id: Int
        public var book: Section.BookName
        public var headings: [String]
        public var file: String
        public var anchor: String
        /// Some 300 characters of the text around the matched words.
        public var excerpt: String
        /// The words of the excerpt and the headings that matched, as they stand there.
        public var words: [String]
        /// Higher is better; comparable within one answer only.
        public var score: Double
        /// What part of the query, weighed by how rare its words are, the section holds: 0 to 1.
        public var coverage: Double

        public init(
            id: Int,
            book: Section.BookName,
            headings: [String],
            file: String,
            anchor: String,
            excerpt: String,
            words: [String],
            score: Double,
            coverage: Double
        ) {
            self.id = id
            self.book = book
            self.headings = headings
            self.file = file
            self.anchor = anchor
            self.excerpt = excerpt
            self.words = words
            self.score = score
            self.coverage = coverage
        }
    }

    public var query: String
    public var limit: Int
    /// Search this book only.
    public var book: Int?

    public init(query: String, limit: Int = 10, book: Int? = nil) {
        self.query = query
        self.limit = limit
        self.book = book
    }
}
