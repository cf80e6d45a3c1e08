public import FoundationEssentials

/// A book or a section of one that a reader has kept.
public struct ReadingListEntry: Codable, Sendable, Equatable {
    /// The book as it is now.
    public struct Book: Codable, Sendable, Equatable {
        /// Its id.
        public var id: Int
        /// Its title.
        public var title: String
        /// The authors, in their order.
        public var authors: [String]

        /// From its parts.
        public init(id: Int, title: String, authors: [String]) {
            self.id = id
            self.title = title
            self.authors = authors
        }
    }

    /// Its id.
    public var id: Int
    /// The book.
    public var book: Book
    /// The section, where only that was kept.
    public var section: Int?
    /// What the section is about.
    public var summary: String?
    /// When it was kept.
    public var added: Date

    /// From its parts.
    public init(id: Int, book: Book, section: Int? = nil, summary: String? = nil, added: Date) {
        self.id = id
        self.book = book
        self.section = section
        self.summary = summary
        self.added = added
    }
}

/// A reader's reading list, the newest entry first, with its books and their authors, in one statement. Errors:
/// `not_found`.
public struct GetReadingList: Operation {
    /// The name on the wire.
    public static let name = "reading_lists.get"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.gateway, .agentRunner, .admin]

    /// A page of the list.
    public struct Result: Codable, Sendable, Equatable {
        /// Whose it is.
        public var reader: Reader
        /// The newest first.
        public var entries: [ReadingListEntry]
        /// The `before` of the next page; absent on the last one.
        public var next: Int?
    }

    /// Whose it is.
    public var reader: Int
    /// The page begins behind this entry; absent for the first page.
    public var before: Int?
    /// Entries on a page, 1 to 200.
    public var limit: Int

    /// The call with its arguments.
    public init(reader: Int, before: Int? = nil, limit: Int = 50) {
        self.reader = reader
        self.before = before
        self.limit = limit
    }
}

/// Keeps a book or section; when it was kept before, the entry gets the new summary. Errors: `not_found` for reader,
/// book and section, `failed_precondition` when the section belongs to another book.
public struct AddToReadingList: Operation {
    /// The name on the wire.
    public static let name = "reading_lists.add"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.gateway, .agentRunner, .admin]

    /// The entry as it is now.
    public struct Result: Codable, Sendable, Equatable {
        /// The entry.
        public var entry: ReadingListEntry
        /// Whether it was not there before.
        public var isNew: Bool

        private enum Key: String, CodingKey { case isNew = "new" }

        /// From the members of the entry, and `new` beside them.
        public init(from decoder: any Decoder) throws {
            entry = try ReadingListEntry(from: decoder)
            isNew = try decoder.container(keyedBy: Key.self).decode(Bool.self, forKey: .isNew)
        }

        /// The members of the entry, and `new` beside them.
        public func encode(to encoder: any Encoder) throws {
            try entry.encode(to: encoder)
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(isNew, forKey: .isNew)
        }
    }

    /// Whose list.
    public var reader: Int
    /// The book.
    public var book: Int
    /// The section, where only that is kept.
    public var section: Int?
    /// What it is about, at most 2,000 characters.
    public var summary: String?

    /// The call with its arguments.
    public init(reader: Int, book: Int, section: Int? = nil, summary: String? = nil) {
        self.reader = reader
        self.book = book
        self.section = section
        self.summary = summary
    }
}

/// Takes an entry off a reading list. Errors: `not_found`.
public struct RemoveFromReadingList: Operation {
    /// The name on the wire.
    public static let name = "reading_lists.remove"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.gateway, .admin]
    /// It is done.
    public typealias Result = Done

    /// Whose list.
    public var reader: Int
    /// The entry.
    public var entry: Int

    /// The call with its arguments.
    public init(reader: Int, entry: Int) {
        self.reader = reader
        self.entry = entry
    }
}
