public import Contract
internal import FoundationEssentials
public import RPC

/// An entry of a reading list, and whose list it is.
@dynamicMemberLookup
public struct KeptEntry: Sendable, Equatable {
    /// Whose list.
    public let reader: Reader
    /// What was kept.
    public let entry: ReadingListEntry

    /// An attribute of the entry.
    public subscript<Value>(dynamicMember attribute: KeyPath<ReadingListEntry, Value>) -> Value {
        entry[keyPath: attribute]
    }
}

extension Stored where Entity == KeptEntry {
    /// Whose list, for further factories.
    public var reader: Stored<Reader> { Stored<Reader>(value: value.reader) }
}

/// What readers keep, with the reader and the book.
///
///     let entry = try await ReadingListEntryFactory(reader: ReaderFactory(name: "Ada"), book: book).create()
public struct ReadingListEntryFactory: StoringFactory {
    /// What it makes.
    public typealias Entity = KeptEntry

    private enum Kept: Sendable {
        case book(any Source<Book>)
        case section(any Source<Section>)
    }

    private let reader: any Source<Reader>
    private let kept: Kept
    private let summary: String?

    /// A recipe for a book that is kept.
    public init(
        reader: any Source<Reader> = ReaderFactory(),
        book: any Source<Book> = BookFactory(),
        summary: String? = nil
    ) {
        self.reader = reader
        kept = .book(book)
        self.summary = summary
    }

    /// A recipe for a section that is kept.
    public init(reader: any Source<Reader> = ReaderFactory(), section: any Source<Section>, summary: String? = nil) {
        self.reader = reader
        kept = .section(section)
        self.summary = summary
    }

    /// A plain entry.
    public func build() -> KeptEntry {
        let book: ReadingListEntry.Book
        var section: Int?
        switch kept {
        case .book(let source):
            let plain = source.plain()
            book = ReadingListEntry.Book(id: plain.id, title: plain.title, authors: plain.authors.map(\.name))
        case .section(let source):
            let plain = source.plain()
            book = ReadingListEntry.Book(id: plain.book.id, title: plain.book.title, authors: [])
            section = plain.id
        }
        let entry = ReadingListEntry(id: Unique.id(), book: book, section: section, summary: summary, added: Date())
        return KeptEntry(reader: reader.plain(), entry: entry)
    }

    /// By `reading_lists.add`.
    public func store(in storage: RPCClient) async throws -> KeptEntry {
        async let owner = reader.stored()
        let (book, section) = try await storedParts()
        let reader = try await owner
        let add = AddToReadingList(reader: reader.id, book: book, section: section, summary: summary)
        let entry = try await storage.perform(add).entry
        return KeptEntry(reader: reader.value, entry: entry)
    }

    private func storedParts() async throws -> (book: Int, section: Int?) {
        switch kept {
        case .book(let source): return (try await source.stored().id, nil)
        case .section(let source):
            let section = try await source.stored()
            return (section.book.id, section.id)
        }
    }
}
