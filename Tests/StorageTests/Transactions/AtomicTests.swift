import Contract
import OctavoTesting
import RPC
import Synchronization
import Testing
import Wire

/// `atomic` through the real storage service and its socket.
@Suite(.serialized) struct AtomicTests {
    private struct Unwanted: Error {}

    final class Counter: Sendable {
        private let counted = Atomic(0)
        var value: Int { counted.load(ordering: .relaxed) }
        func count() { counted.add(1, ordering: .relaxed) }
    }

    /// A book and a reader of this test's own.
    func withLibrary(
        _ body: @Sendable @escaping (RPCClient, BookSummary, Reader) async throws -> Void
    ) async throws {
        try await TestStorage.run { storage in
            let book = try await storage.client.perform(CreateBook(title: "Handbook", authors: ["Ada", "Grace"]))
            let reader = try await storage.client.perform(CreateReader(handle: "ada", name: "Ada"))
            try await body(storage.client, book, reader)
        }
    }

    @Test func whatTheClosureDoesIsCommittedTogether() async throws {
        try await withLibrary { storage, book, reader in
            try await storage.atomic { transaction in
                async let title = transaction.perform(SetBookTitle(book.id, to: "Manual"))
                async let name = transaction.perform(SetReaderName(reader.id, to: "Lovelace"))
                _ = try await (title, name)
                // Nobody else sees it yet.
                let (outside, inside) = (GetBook(book: book.id), GetBook(book: book.id))
                #expect(try await storage.perform(outside).title == "Handbook")
                #expect(try await transaction.perform(inside).title == "Manual")
            }
            #expect(try await storage.perform(GetBook(book: book.id)).title == "Manual")
            #expect(try await storage.perform(GetReader(reader.id)).name == "Lovelace")
        }
    }

    @Test func aThrownErrorRollsBackAll() async throws {
        try await withLibrary { storage, book, _ in
            await #expect(throws: Unwanted.self) {
                try await storage.atomic { transaction in
                    _ = try await transaction.perform(SetBookTitle(book.id, to: "Manual"))
                    throw Unwanted()
                }
            }
            let title = try await storage.perform(GetBook(book: book.id)).title
            #expect(title == "Handbook")
        }
    }

    @Test func aNestedTransactionIsUndoneAlone() async throws {
        try await withLibrary { storage, book, reader in
            try await storage.atomic { transaction in
                _ = try await transaction.perform(SetBookTitle(book.id, to: "Manual"))
                try? await transaction.atomic { nested in
                    _ = try await nested.perform(SetReaderName(reader.id, to: "Nobody"))
                    // A failed statement, after which Postgres refuses everything up to the savepoint.
                    _ = try await nested.perform(AddToReadingList(reader: 0, book: book.id))
                }
                try await transaction.atomic { nested in
                    try await nested.atomic { innermost in
                        _ = try await innermost.perform(AddToReadingList(reader: reader.id, book: book.id))
                    }
                }
            }
            #expect(try await storage.perform(GetBook(book: book.id)).title == "Manual")
            let list = try await storage.perform(GetReadingList(reader: reader.id))
            #expect(list.reader.name == "Ada")
            #expect(list.entries.map(\.book.title) == ["Manual"])
            #expect(list.entries.first?.book.authors == ["Ada", "Grace"])
        }
    }

    @Test func concurrentNestedTransactionsTakeTurns() async throws {
        try await withLibrary { storage, book, reader in
            try await storage.atomic { transaction in
                try await withThrowingDiscardingTaskGroup { group in
                    for number in 1...20 {
                        group.addTask {
                            let nested: Void? = try? await transaction.atomic { nested in
                                _ = try await nested.perform(SetReaderName(reader.id, to: "Reader \(number)"))
                                if number % 2 == 0 { throw Unwanted() }
                            }
                            #expect((nested == nil) == (number % 2 == 0))
                            _ = try await transaction.perform(GetReader(reader.id))
                        }
                    }
                }
            }
            let name = try await storage.perform(GetReader(reader.id)).name
            #expect(name.hasPrefix("Reader ") && Int(name.dropFirst(7)).map { $0 % 2 } == 1)
        }
    }

    @Test func theOuterTransactionIsRefusedInsideANestedOne() async throws {
        try await withLibrary { storage, book, _ in
            try await storage.atomic { transaction in
                try await transaction.atomic { _ in
                    let error = await #expect(throws: ServiceError.self) {
                        try await transaction.perform(GetBook(book: book.id))
                    }
                    #expect(error?.code == .failedPrecondition)
                }
            }
        }
    }

    @Test func afterCommitRunsOnceAndOnlyAfterTheCommit() async throws {
        try await withLibrary { storage, book, reader in
            let said = Mutex<[String]>([])
            try await storage.atomic { transaction in
                transaction.afterCommit {
                    let title = try? await storage.perform(GetBook(book: book.id)).title
                    said.withLock { $0.append(title ?? "") }
                }
                try? await transaction.atomic { nested in
                    nested.afterCommit { said.withLock { $0.append("never") } }
                    throw Unwanted()
                }
                try await transaction.atomic { nested in
                    nested.afterCommit { said.withLock { $0.append("nested") } }
                }
                _ = try await transaction.perform(SetBookTitle(book.id, to: "Manual"))
                #expect(said.withLock { $0.isEmpty })
            }
            #expect(said.withLock { $0 } == ["Manual", "nested"])
            try? await storage.atomic { transaction in
                transaction.afterCommit { said.withLock { $0.append("rolled back") } }
                throw Unwanted()
            }
            #expect(said.withLock { $0.count } == 2)
        }
    }

    @Test func aCancelledTaskRollsBack() async throws {
        try await withLibrary { storage, book, _ in
            let (changed, isChanged) = AsyncStream<Void>.makeStream()
            let task = Task {
                try await storage.atomic { transaction in
                    _ = try await transaction.perform(SetBookTitle(book.id, to: "Manual"))
                    isChanged.finish()
                    try await Task.sleep(for: .seconds(3600))
                }
            }
            for await _ in changed {}
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            // The row is free again: this would wait for a lock otherwise.
            _ = try await storage.perform(SetBookTitle(book.id, to: "Guide"))
            #expect(try await storage.perform(GetBook(book: book.id)).title == "Guide")
        }
    }

    @Test func aTransactionThatDoesNothingIsEndedAndItsCallerToldWhy() async throws {
        try await withLibrary { storage, book, _ in
            let stream = storage.stream(BeginTransaction(idleMilliseconds: 1))
            let error = await #expect(throws: ServiceError.self) { _ = try await stream.result }
            #expect(error?.code == .deadlineExceeded)
            #expect(error?.message.contains("Nothing happened in the transaction") == true)
            _ = try await storage.perform(SetBookTitle(book.id, to: "Manual"))
        }
    }

    @Test func theDeadlineRollsBackAndIsTold() async throws {
        try await withLibrary { storage, book, _ in
            let error = await #expect(throws: ServiceError.self) {
                try await storage.atomic(deadline: .milliseconds(300)) { transaction in
                    _ = try await transaction.perform(SetBookTitle(book.id, to: "Manual"))
                    while true { _ = try await transaction.perform(GetBook(book: book.id)) }
                }
            }
            #expect(error?.code == .deadlineExceeded)
            #expect(error?.retry == .safe)
            _ = try await storage.perform(SetBookTitle(book.id, to: "Guide"))
        }
    }

    @Test func aReadOnlyTransactionRefusesToWrite() async throws {
        try await withLibrary { storage, book, _ in
            let error = await #expect(throws: ServiceError.self) {
                try await storage.atomic(isReadOnly: true) { transaction in
                    _ = try await transaction.perform(GetBook(book: book.id))
                    _ = try await transaction.perform(SetBookTitle(book.id, to: "Manual"))
                }
            }
            #expect(error?.code == .failedPrecondition)
        }
    }

    @Test func anErrorThatWasPassedOverCannotBeCommitted() async throws {
        try await withLibrary { storage, book, _ in
            let error = await #expect(throws: ServiceError.self) {
                try await storage.atomic { transaction in
                    _ = try await transaction.perform(SetBookTitle(book.id, to: "Manual"))
                    _ = try? await transaction.perform(AddToReadingList(reader: 0, book: book.id))
                }
            }
            #expect(error?.code == .failedPrecondition)
            let title = try await storage.perform(GetBook(book: book.id)).title
            #expect(title == "Handbook")
        }
    }

    @Test func theSameKeyIsCarriedOutOnce() async throws {
        try await withLibrary { storage, _, reader in
            let runs = Counter()
            let names = try await withThrowingTaskGroup(of: String.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        try await storage.atomic(idempotencyKey: "rename") { transaction in
                            runs.count()
                            return try await transaction.perform(SetReaderName(reader.id, to: "Name \(number)")).name
                        }
                    }
                }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(names.count == 1)
            #expect(runs.value == 1)
            #expect(try await storage.perform(GetReader(reader.id)).name == names.first)
        }
    }

    @Test func aTransactionIsOverWhenItsClosureHasReturned() async throws {
        try await withLibrary { storage, book, _ in
            let transaction = try await storage.atomic { $0 }
            let error = await #expect(throws: ServiceError.self) {
                try await transaction.perform(GetBook(book: book.id))
            }
            #expect(error?.code == .failedPrecondition)
        }
    }
}
