/// The books, by id. A page of up to 500 begins behind `after`.
public struct ListBooks: Operation {
    /// The name on the wire.
    public static let name = "books.list"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.gateway, .agentRunner, .admin]

    /// A page of books.
    public struct Result: Codable, Sendable, Equatable {
        /// By id.
        public var books: [BookSummary]
        /// The `after` of the next page; absent on the last one.
        public var next: Int?
    }

    /// The page begins behind this book; 0 for the first.
    public var after: Int
    /// Books on a page, 1 to 500.
    public var limit: Int

    /// The call with its arguments.
    public init(after: Int = 0, limit: Int = 100) {
        self.after = after
        self.limit = limit
    }
}
