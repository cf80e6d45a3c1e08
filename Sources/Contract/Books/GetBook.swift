/// A book with its authors and a page of its table of contents, in one statement. Errors: `not_found`.
public struct GetBook: Operation {
    public static let name = "books.get"
    public static let callers: Set<Role> = [.gateway, .agentRunner, .admin]
    public typealias Result = Book

    public var book: Int
    /// The page begins behind this section; 0 for the first page.
    public var after: Int
    /// Entries on a page, 1 to 1,000: more would not fit a frame.
    public var limit: Int

    public init(book: Int, after: Int = 0, limit: Int = 500) {
        self.book = book
        self.after = after
        self.limit = limit
    }
}
