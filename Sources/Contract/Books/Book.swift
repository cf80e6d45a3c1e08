/// A body of documentation: a title, its authors, its sections.
public struct Book: Codable, Sendable, Equatable {
    /// Who wrote it.
    public struct Author: Codable, Sendable, Equatable {
        /// Its id.
        public var id: Int
        /// The name.
        public var name: String

        /// From its parts.
        public init(id: Int, name: String) {
            self.id = id
            self.name = name
        }
    }

    /// A section without its text: an entry of the table of contents.
    public struct Entry: Codable, Sendable, Equatable {
        /// Its id.
        public var id: Int
        /// The heading path, the section's own heading last.
        public var headings: [String]
        /// The source file.
        public var file: String
        /// The fragment that leads to it within the file.
        public var anchor: String

        /// From its parts.
        public init(id: Int, headings: [String], file: String, anchor: String) {
            self.id = id
            self.headings = headings
            self.file = file
            self.anchor = anchor
        }
    }

    /// Its id.
    public var id: Int
    /// The title.
    public var title: String
    /// The authors, in their order.
    public var authors: [Author]
    /// How many sections the book has; `sections` may be one page of them.
    public var sectionCount: Int
    /// The sections.
    public var sections: [Entry]
    /// The section to ask for the next page after; absent on the last page.
    public var next: Int?

    /// From its parts.
    public init(id: Int, title: String, authors: [Author], sectionCount: Int, sections: [Entry], next: Int? = nil) {
        self.id = id
        self.title = title
        self.authors = authors
        self.sectionCount = sectionCount
        self.sections = sections
        self.next = next
    }

    enum CodingKeys: String, CodingKey {
        case id, title, authors, sections, next
        case sectionCount = "section_count"
    }
}

/// One line of the list of books.
public struct BookSummary: Codable, Sendable, Equatable {
    /// Its id.
    public var id: Int
    /// The title.
    public var title: String
    /// The authors, in their order.
    public var authors: [String]
    /// How many sections it has.
    public var sectionCount: Int

    enum CodingKeys: String, CodingKey {
        case id, title, authors
        case sectionCount = "section_count"
    }
}
