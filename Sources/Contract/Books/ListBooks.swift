/// The books, by id. A page of up to 500 begins behind `after`.
public struct ListBooks: Operation {
    public static let name = "books.list"
    public static let callers: Set<Role> = [.gateway, .agentRunner, .admin]

    /// A page of books.
    public struct Result: Codable, Sendable, Equatable {
        public var books: [BookSummary]
    }

    public var after: Int

    public init(after: Int = 0) {
        self.after = after
    }
}
