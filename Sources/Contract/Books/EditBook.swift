/// Makes a book without sections. Errors: `already_exists` when there is one of that title.
public struct CreateBook: Operation {
    /// The name on the wire.
    public static let name = "books.create"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// What it answers with.
    public typealias Result = BookSummary

    /// The title, 1 to 300 characters.
    public var title: String
    /// The authors, at most 100, in their order; 1 to 300 characters each.
    public var authors: [String]

    /// The call with its arguments.
    public init(title: String, authors: [String] = []) {
        self.title = title
        self.authors = authors
    }
}

/// Gives a book another title. Errors: `not_found`, `already_exists` when another book has it.
public struct SetBookTitle: Operation {
    /// The name on the wire.
    public static let name = "books.set_title"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.gateway, .admin]

    /// The book, as far as it changed.
    public struct Result: Codable, Sendable, Equatable {
        /// The book.
        public var id: Int
        /// The title it has now.
        public var title: String
    }

    /// The book.
    public var book: Int
    /// The title, 1 to 300 characters.
    public var title: String

    /// The call with its arguments.
    public init(_ book: Int, to title: String) {
        self.book = book
        self.title = title
    }
}

/// Deletes a book, with its sections and the entries of reading lists that name it. Errors: `not_found`.
public struct DeleteBook: Operation {
    /// The name on the wire.
    public static let name = "books.delete"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// It is done.
    public typealias Result = Done

    /// The book.
    public var book: Int

    /// The call with its arguments.
    public init(_ book: Int) {
        self.book = book
    }
}
