/// The unit of search and of citation.
public struct Section: Codable, Sendable, Equatable {
    /// The book a section stands in.
    public struct BookName: Codable, Sendable, Equatable {
        /// Its id.
        public var id: Int
        /// The title.
        public var title: String

        /// From its parts.
        public init(id: Int, title: String) {
            self.id = id
            self.title = title
        }
    }

    /// Its id.
    public var id: Int
    /// The book.
    public var book: BookName
    /// The heading path, from the page's title to the section's own heading.
    public var headings: [String]
    /// The source file, relative to the folder that was imported.
    public var file: String
    /// The fragment that leads to the section within the file; empty for its top.
    public var anchor: String
    /// Its text.
    public var text: String

    /// From its parts.
    public init(id: Int, book: BookName, headings: [String], file: String, anchor: String, text: String) {
        self.id = id
        self.book = book
        self.headings = headings
        self.file = file
        self.anchor = anchor
        self.text = text
    }
}

/// The full text of up to 50 sections, in the order asked for; those that do not exist are missing from the answer.
public struct GetSections: Operation {
    /// The name on the wire.
    public static let name = "sections.get"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.gateway, .agentRunner, .admin]

    /// The sections found.
    public struct Result: Codable, Sendable, Equatable {
        /// In the order asked for.
        public var sections: [Section]
    }

    /// Which to give, at most 50.
    public var sections: [Int]

    /// The call with its arguments.
    public init(sections: [Int]) {
        self.sections = sections
    }
}
