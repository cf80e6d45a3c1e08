/// A body of documentation: a title, its authors, its sections.
public struct Book: Codable, Sendable, Equatable {
    /// Who wrote it.
    public struct Author: Codable, Sendable, Equatable {
        public var id: Int
        public var name: String
    }

    /// A section without its text: an entry of the table of contents.
    public struct Entry: Codable, Sendable, Equatable {
        public var id: Int
        public var headings: [String]
        public var file: String
        public var anchor: String
    }

    public var id: Int
    public var title: String
    public var authors: [Author]
    /// How many sections the book has; `sections` may be one page of them.
    public var sectionCount: Int
    public var sections: [Entry]
    /// The section to ask for the next page after; absent on the last page.
    public var next: Int?

    enum CodingKeys: String, CodingKey {
        case id, title, authors, sections, next
        case sectionCount = "section_count"
    }
}

/// One line of the list of books.
public struct BookSummary: Codable, Sendable, Equatable {
    public var id: Int
    public var title: String
    public var authors: [String]
    public var sectionCount: Int

    enum CodingKeys: String, CodingKey {
        case id, title, authors
        case sectionCount = "section_count"
    }
}
