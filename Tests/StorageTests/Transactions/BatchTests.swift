import Contract
import OctavoTesting
import RPC
import Testing
import Wire

/// Operations known beforehand, as one transaction.
@Suite(.serialized) struct BatchTests {
    private func withLibrary(
        _ body: @Sendable @escaping (RPCClient, BookSummary, Reader) async throws -> Void
    ) async throws {
        try await TestStorage.run { storage in
            let (book, reader) = try await storage.client.batch(
                CreateBook(title: "Handbook", authors: ["Ada"]),
                CreateReader(handle: "ada", name: "Ada")
            )
            try await body(storage.client, book, reader)
        }
    }

    @Test func allOfItIsDone() async throws {
        try await withLibrary { storage, book, reader in
            let (title, name, entry) = try await storage.batch(
                SetBookTitle(book.id, to: "Manual"),
                SetReaderName(reader.id, to: "Lovelace"),
                AddToReadingList(reader: reader.id, book: book.id, summary: "All there is.")
            )
            #expect(title.title == "Manual" && name.name == "Lovelace" && entry.isNew)
            let list = try await storage.perform(GetReadingList(reader: reader.id))
            #expect(list.reader.name == "Lovelace")
            #expect(list.entries.map(\.book.title) == ["Manual"])
            #expect(list.entries.map(\.summary) == ["All there is."])
        }
    }

    @Test func noneOfItIsDoneWhenOneFails() async throws {
        try await withLibrary { storage, book, reader in
            do {
                _ = try await storage.batch(
                    SetBookTitle(book.id, to: "Manual"),
                    SetReaderName(reader.id, to: "Lovelace"),
                    AddToReadingList(reader: reader.id, book: book.id, section: 999)
                )
                Issue.record("a missing section was kept")
            } catch let error as ServiceError {
                #expect(error.code == .notFound)
                #expect(error.message == "There is no such section in this book.")
            }
            let stored = try await storage.perform(GetBook(book: book.id))
            #expect(stored.title == "Handbook")
            let unchanged = try await storage.perform(GetReader(reader.id))
            #expect(unchanged.name == "Ada")
        }
    }

    @Test func theSameKeyIsCarriedOutOnceAndAnsweredTheSame() async throws {
        try await withLibrary { storage, _, _ in
            let ids = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await storage.batch(
                            CreateReader(handle: "grace", name: "Grace"),
                            idempotencyKey: "grace"
                        ).id
                    }
                }
                return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
            }
            #expect(ids.count == 1)
            let one = try await storage.perform(CreateReader(handle: "k", name: "K"), idempotencyKey: "k")
            let other = try await storage.perform(CreateReader(handle: "k", name: "K"), idempotencyKey: "k")
            #expect(one == other)
        }
    }

    @Test func theSameKeyForAnotherCallIsRefused() async throws {
        try await withLibrary { storage, _, reader in
            _ = try await storage.perform(SetReaderName(reader.id, to: "One"), idempotencyKey: "key")
            do {
                _ = try await storage.perform(SetReaderName(reader.id, to: "Other"), idempotencyKey: "key")
                Issue.record("another call took the key")
            } catch let error as ServiceError {
                #expect(error.code == .alreadyExists && error.message.contains("key"))
            }
        }
    }

    @Test(arguments: [
        (#"[]"#, "invalid_argument"),
        (#"[{"call":"books.get","arguments":{"book":1}}]"#, "invalid_argument"),
        (#"[{"call":"books.set_title","arguments":{"book":1}}]"#, "invalid_argument"),
        (#"[{"call":"books.set_title","arguments":{"book":1,"title":""}}]"#, "invalid_argument"),
        (#"[{"call":"books.set_title","arguments":{"book":999,"title":"x"}}]"#, "not_found"),
        (#"[{"call":"nothing.known","arguments":{}}]"#, "invalid_argument"),
    ])
    func aBatchThatCannotBeDoneIsRefused(_ operations: String, code: String) async throws {
        try await withLibrary { storage, _, _ in
            let entries = try JSON(validating: operations).decode([RunBatch.Entry].self)
            do {
                _ = try await storage.perform(RunBatch(entries))
                Issue.record("it was done")
            } catch let error as ServiceError {
                #expect(error.code.rawValue == code)
            }
        }
    }

    @Test func racesAreRunAgainByTheService() async throws {
        try await withLibrary { storage, book, reader in
            // Rows are locked in opposite orders: without repeating, one of two would end as a deadlock.
            try await withThrowingDiscardingTaskGroup { group in
                for number in 0..<4 {
                    group.addTask {
                        let (title, name) = (SetBookTitle(book.id, to: "Manual"), SetReaderName(reader.id, to: "L"))
                        for _ in 0..<10 {
                            if number % 2 == 0 {
                                _ = try await storage.batch(title, name)
                            } else {
                                _ = try await storage.batch(name, title)
                            }
                        }
                    }
                }
            }
        }
    }
}
