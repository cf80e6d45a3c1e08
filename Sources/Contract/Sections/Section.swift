/// The unit of search and of citation.
public struct Section: Codable, Sendable, Equatable {
    /// The book a section stands in.
    public struct BookName: Codable, Sendable, Equatable {
        public var id: Int
        public var title: String

        public init(id: Int, title: String) {
            self.id = id
            self.title = title
        }
    }

    public var id: Int
    public var book: BookName
    /// The heading path, from the page's title to the section's own heading.
    public var headings: [String]
    /// The source file, relative to the folder that was imported.
    public var file: String
    /// The fragment that leads to the section within the file; empty for its top.
    public var anchor: String
    public var text: String

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
    public static let name = "sections.get"
    public static let callers: Set<Role> = [.gateway, .agentRunner, .admin]

    /// The sections found.
    public struct Result: Codable, Sendable, Equatable {
        public var sections: [Section]
    }

    public var sections: [Int]

    public init(sections: [Int]) {
        self.sections = sections
    }
}
