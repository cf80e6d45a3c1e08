public import Contract
public import RPC

/// Books, with their authors and sections.
///
///     let book = try await BookFactory(authors: 2, sections: [SectionFactory(text: "A frame is one line.")]).create()
public struct BookFactory: StoringFactory {
    /// What it makes.
    public typealias Entity = Book

    private let title: String?
    private let authors: Several<AuthorFactory>
    private let sections: Several<SectionFactory>

    /// A recipe; the title is unique unless it is given.
    public init(title: String? = nil, authors: Several<AuthorFactory> = 1, sections: Several<SectionFactory> = 0) {
        self.title = title
        self.authors = authors
        self.sections = sections
    }

    /// A plain book.
    public func build() -> Book {
        let entries = sections.factories.map { $0.build() }.map {
            Book.Entry(id: $0.id, headings: $0.headings, file: $0.file, anchor: $0.anchor)
        }
        return Book(
            id: Unique.id(),
            title: title ?? Unique.text("Book"),
            authors: authors.factories.map { $0.build() },
            sectionCount: entries.count,
            sections: entries
        )
    }

    /// By `books.create`, and an import when it has sections.
    public func store(in storage: RPCClient) async throws -> Book {
        let plain = build()
        let authors = plain.authors.map(\.name)
        let book = try await storage.perform(CreateBook(title: plain.title, authors: authors))
        let sections = sections.factories.map { $0.build() }
        if !sections.isEmpty { try await bring(sections, into: plain.title, by: authors, storage) }
        return try await storage.perform(GetBook(book: book.id))
    }

    private func bring(_ sections: [Section], into title: String, by authors: [String], _ storage: RPCClient)
        async throws
    {
        let texts = sections.map { PutDocuments.SectionText(headings: $0.headings, anchor: $0.anchor, text: $0.text) }
        let document = PutDocuments.Document(file: sections[0].file, sections: texts)
        let begun = try await storage.perform(BeginImport(title: title, authors: authors))
        _ = try await storage.perform(PutDocuments(book: begun.book, import: begun.import, documents: [document]))
        _ = try await storage.perform(FinishImport(book: begun.book, import: begun.import))
    }
}
