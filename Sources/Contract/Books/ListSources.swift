/// The books whose sources are known, by id. For administrators: the paths are nobody else's business.
public struct ListSources: Operation {
    /// The name on the wire.
    public static let name = "books.sources"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// It changes nothing.
    public static let effect = Effect.reads

    /// A book, as it would be imported again.
    public struct Source: Codable, Sendable, Equatable {
        /// Its id.
        public var book: Int
        /// The title.
        public var title: String
        /// The authors, in their order.
        public var authors: [String]
        /// The files and folders it was read from.
        public var sources: [String]
    }

    /// A page of books.
    public struct Result: Codable, Sendable, Equatable {
        /// By id.
        public var books: [Source]
        /// The `after` of the next page; absent on the last one.
        public var next: Int?
    }

    /// The page begins behind this book; 0 for the first.
    public var after: Int
    /// Books on a page, 1 to 100: their sources have to fit a frame.
    public var limit: Int

    /// The call with its arguments.
    public init(after: Int = 0, limit: Int = 100) {
        self.after = after
        self.limit = limit
    }
}
