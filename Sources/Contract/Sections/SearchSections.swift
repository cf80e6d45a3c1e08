/// The sections that fit some words best, best first. Errors: `invalid_argument` when `query` is empty or over 1,000
/// characters, or `limit` not within 1 to 50.
public struct SearchSections: Operation {
    /// The name on the wire.
    public static let name = "sections.search"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.gateway, .agentRunner, .admin]

    /// What was found.
    public struct Result: Codable, Sendable, Equatable {
        /// The best first.
        public var hits: [Hit]
        /// Misspelt words of the query, and what was searched in their place.
        public var corrections: [String: String]

        /// From its parts.
        public init(hits: [Hit], corrections: [String: String] = [:]) {
            self.hits = hits
            self.corrections = corrections
        }
    }

    /// A section that was found, with an excerpt in the place of its text.
    public struct Hit: Codable, Sendable, Equatable {
        /// Its id.
        public var id: Int
        /// The book.
        public var book: Section.BookName
        /// The heading path, the section's own heading last.
        public var headings: [String]
        /// The source file.
        public var file: String
        /// The fragment that leads to it within the file.
        public var anchor: String
        /// Some 300 characters of the text around the matched words.
        public var excerpt: String
        /// The words of the excerpt and the headings that matched, as they stand there.
        public var words: [String]
        /// Higher is better; comparable within one answer only.
        public var score: Double
        /// What part of the query, weighed by how rare its words are, the section holds: 0 to 1.
        public var coverage: Double

        /// From its parts.
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

    /// What to look for.
    public var query: String
    /// How many at most.
    public var limit: Int
    /// Search this book only.
    public var book: Int?

    /// The call with its arguments.
    public init(query: String, limit: Int = 10, book: Int? = nil) {
        self.query = query
        self.limit = limit
        self.book = book
    }
}
