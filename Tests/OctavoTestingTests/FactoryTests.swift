import Contract
import OctavoTesting
import RPC
import Testing
import Wire

/// What factories make.
@Suite(.rolledBack) struct FactoryTests {
    private let storage: RPCClient

    init() throws {
        storage = try TestStorage.client
    }

    @Test func aBookHasItsAuthorsAndSections() async throws {
        let book = try await BookFactory(authors: 2, sections: 3).create()
        #expect(book.authors.count == 2 && book.sectionCount == 3)
        #expect(try await storage.perform(GetBook(book: book.id)) == book.value)
        let named = try await BookFactory(title: Unique.text("Manual"), authors: ["Ada", "Grace"]).create()
        #expect(named.authors.map(\.name) == ["Ada", "Grace"])
    }

    @Test func aSectionIsFoundByItsWords() async throws {
        let section = try await SectionFactory(headings: ["Frames"], text: "A frame is one line.").create()
        let hits = try await storage.perform(SearchSections(query: "frame")).hits
        #expect(hits.map(\.id) == [section.id])
        let book = try await BookFactory(sections: [SectionFactory(text: "Frames are short."), SectionFactory()])
            .create()
        let found = try await storage.perform(GetSections(sections: book.sections.map(\.id))).sections
        #expect(found.count == 2 && found[0].text == "Frames are short.")
    }

    @Test func anEntryComesWithReaderAndBook() async throws {
        let entry = try await ReadingListEntryFactory(
            reader: ReaderFactory(name: "Ada"),
            book: BookFactory(authors: ["Grace"]),
            summary: "All there is."
        ).create()
        let list = try await storage.perform(GetReadingList(reader: entry.reader.id))
        #expect(list.reader.name == "Ada")
        #expect(list.entries == [entry.entry])
        #expect(entry.book.authors == ["Grace"] && entry.summary == "All there is.")
    }

    @Test func whatIsStoredIsReferredToAgain() async throws {
        let (reader, book) = (try await ReaderFactory().create(), try await BookFactory(sections: 1).create())
        let first = try await ReadingListEntryFactory(reader: reader, book: book).create()
        let second = try await ReadingListEntryFactory(reader: first.reader, section: SectionFactory()).create()
        #expect(first.book.id == book.id)
        #expect(second.section != nil)
        let list = try await storage.perform(GetReadingList(reader: reader.id))
        #expect(list.entries.map(\.id) == [second.id, first.id])
    }

    @Test func severalHaveDefaultsOfTheirOwn() async throws {
        let readers = try await ReaderFactory(name: "Ada").create(3)
        #expect(Set(readers.map(\.handle)).count == 3)
        #expect(Set(readers.map(\.name)) == ["Ada"])
        let entries = try await ReadingListEntryFactory(reader: readers[0]).create(2)
        #expect(Set(entries.map(\.book.id)).count == 2)
    }

    @Test func whatIsBuiltIsNotStored() async throws {
        let before = try await storage.perform(ListBooks()).books.count
        let book = BookFactory(title: "Manual", authors: 2, sections: 1).build()
        #expect(book.title == "Manual" && book.authors.count == 2 && book.sections.count == 1)
        let entries = ReadingListEntryFactory(reader: ReaderFactory(name: "Ada")).build(2)
        #expect(entries.map(\.reader.name) == ["Ada", "Ada"])
        #expect(ReadingListEntryFactory(section: SectionFactory()).build().section != nil)
        #expect(SectionFactory(text: "Text.").build().text == "Text.")
        try QuestionFactory().build().check()
        let (reader, storage) = (ReaderFactory().build(), storage)
        let error = await #expect(throws: ServiceError.self) { try await storage.perform(GetReader(reader.id)) }
        #expect(error?.code == .notFound)
        #expect(try await storage.perform(ListBooks()).books.count == before)
    }
}
