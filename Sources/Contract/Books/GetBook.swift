/// A book with its authors and a page of its table of contents, in one statement. Errors: `not_found`;
/// `failed_precondition` when `after` is no section of the book, or no longer.
public struct GetBook: Operation {
    /// The name on the wire.
    public static let name = "books.get"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.gateway, .agentRunner, .admin]
    /// What it answers with.
    public typealias Result = Book

    /// The book.
    public var book: Int
    /// The page begins behind this section; 0 for the first page.
    public var after: Int
    /// Entries on a page, 1 to 1,000: more would not fit a frame.
    public var limit: Int

    /// The call with its arguments.
    public init(book: Int, after: Int = 0, limit: Int = 500) {
        self.book = book
        self.after = after
        self.limit = limit
    }
}
