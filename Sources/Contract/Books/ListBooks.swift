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
    }

    /// The page begins behind this book; 0 for the first.
    public var after: Int

    /// The call with its arguments.
    public init(after: Int = 0) {
        self.after = after
    }
}
