public import Contract
public import RPC

/// Sections. One that is created by itself gets a book of its own: an import replaces all that a book holds, so a book
/// comes with its sections, `BookFactory(sections: 3)`.
public struct SectionFactory: DefaultFactory, StoringFactory {
    /// What it makes.
    public typealias Entity = Section

    private let headings: [String]?
    private let text: String?

    /// A recipe; the heading and the text are unique unless they are given.
    public init(headings: [String]? = nil, text: String? = nil) {
        self.headings = headings
        self.text = text
    }

    /// One with a heading and a text of its own.
    public init() {
        self.init(headings: nil)
    }

    /// A plain section, of a plain book.
    public func build() -> Section {
        let number = Unique.id()
        return Section(
            id: number,
            book: Section.BookName(id: Unique.id(), title: Unique.text("Book")),
            headings: headings ?? [Unique.text("Section")],
            file: "book.md",
            anchor: "section\(number)",
            text: text ?? Unique.text("Text")
        )
    }

    /// In a book of its own.
    public func store(in storage: RPCClient) async throws -> Section {
        let book = try await BookFactory(sections: [self]).store(in: storage)
        let found = try await storage.perform(GetSections(sections: book.sections.map(\.id)))
        guard let section = found.sections.first else {
            throw FactoryError("The section of \(book.title) is not there.")
        }
        return section
    }
}
