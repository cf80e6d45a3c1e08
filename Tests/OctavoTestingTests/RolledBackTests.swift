import Contract
import OctavoTesting
import RPC
import Synchronization
import Testing
import Wire

/// Tests in transactions that are rolled back, on the real storage service: seen from inside such a test.
@Suite(.rolledBack) struct RolledBackTests {
    private struct Unwanted: Error {}

    private let storage: RPCClient

    init() throws {
        storage = try TestStorage.client
    }

    /// Each argument is a test, and the handle is the same in all of them: storage takes it only because none of the others
    /// is there any more. They wait for one another at the handle, and only there.
    @Test(arguments: 1...3) func nothingIsLeftOfAnotherTest(number: Int) async throws {
        // As long as the others take, which on a busy machine is longer than a call usually waits.
        let patience = Duration.seconds(300)
        let create = CreateReader(handle: "the same", name: "Reader \(number)")
        let reader = try await storage.perform(create, deadline: patience)
        #expect(try await storage.perform(GetReader(reader.id), deadline: patience).name == "Reader \(number)")
        let readers = try await storage.perform(ListReaders(), deadline: patience).readers
        #expect(readers == [reader])
    }

    @Test func whatATestDoesIsSeenByItsTasks() async throws {
        let reader = try await ReaderFactory().create()
        let storage = storage
        async let inChild = storage.perform(GetReader(reader.id))
        let inTask = Task { try await storage.perform(GetReader(reader.id)) }
        let found = try await [inChild, inTask.value]
        #expect(found == [reader.value, reader.value])
    }

    @Test func afterAFailedCallTheTestGoesOn() async throws {
        let reader = try await ReaderFactory().create()
        let storage = storage
        // The statement fails in Postgres, not before.
        let again = CreateReader(handle: reader.handle, name: "Again")
        let error = await #expect(throws: ServiceError.self) { _ = try await storage.perform(again) }
        #expect(error?.code == .alreadyExists)
        #expect(try await storage.perform(SetReaderName(reader.id, to: "Ada")).name == "Ada")
    }

    @Test func anAtomicThatThrowsIsUndoneAlone() async throws {
        let reader = try await ReaderFactory(name: "Ada").create()
        let storage = storage
        await #expect(throws: Unwanted.self) {
            try await storage.atomic { transaction in
                _ = try await transaction.perform(SetReaderName(reader.id, to: "Nobody"))
                throw Unwanted()
            }
        }
        #expect(try await storage.perform(GetReader(reader.id)).name == "Ada")
    }

    @Test func atomicNests() async throws {
        let (reader, book) = (try await ReaderFactory(name: "Ada").create(), try await BookFactory().create())
        try await storage.atomic { transaction in
            async let title = transaction.perform(SetBookTitle(book.id, to: Unique.text("Manual")))
            async let name = transaction.perform(SetReaderName(reader.id, to: "Lovelace"))
            _ = try await (title, name)
            try? await transaction.atomic { nested in
                _ = try await nested.perform(SetReaderName(reader.id, to: "Nobody"))
                throw Unwanted()
            }
            // A transaction of its own elsewhere; here it has one connection with the other.
            try await storage.atomic { other in
                _ = try await other.perform(AddToReadingList(reader: reader.id, book: book.id))
            }
            #expect(try await storage.perform(GetReader(reader.id)).name == "Lovelace")
        }
        let list = try await storage.perform(GetReadingList(reader: reader.id))
        #expect(list.reader.name == "Lovelace" && list.entries.count == 1)
    }

    @Test func afterCommitRunsWhenTheAtomicOfTheTestedCodeHasEnded() async throws {
        let reader = try await ReaderFactory().create()
        let said = Mutex<[String]>([])
        let storage = storage
        try await storage.atomic { transaction in
            transaction.afterCommit {
                let name = try? await storage.perform(GetReader(reader.id)).name
                said.withLock { $0.append(name ?? "") }
            }
            try await transaction.atomic { nested in nested.afterCommit { said.withLock { $0.append("nested") } } }
            _ = try await transaction.perform(SetReaderName(reader.id, to: "Ada"))
            #expect(said.withLock { $0.isEmpty })
        }
        #expect(said.withLock { $0 } == ["Ada", "nested"])
        try? await storage.atomic { transaction in
            transaction.afterCommit { said.withLock { $0.append("rolled back") } }
            throw Unwanted()
        }
        #expect(said.withLock { $0.count } == 2)
    }

    @Test func aLostRaceRunsTheClosureAgain() async throws {
        let reader = try await ReaderFactory(name: "Ada").create()
        let runs = Mutex(0)
        try await storage.atomic { transaction in
            let name = try await transaction.perform(GetReader(reader.id)).name
            _ = try await transaction.perform(SetReaderName(reader.id, to: name + "x"))
            let run = runs.withLock { runs in
                runs += 1
                return runs
            }
            if run < 3 { throw ServiceError.aborted("Another transaction was faster; try again.") }
        }
        #expect(try await storage.perform(GetReader(reader.id)).name == "Adax")
    }

    @Test func aBatchIsAllOrNothing() async throws {
        let (reader, book) = (try await ReaderFactory(name: "Ada").create(), try await BookFactory().create())
        let storage = storage
        let (name, entry) = try await storage.batch(
            SetReaderName(reader.id, to: "Lovelace"),
            AddToReadingList(reader: reader.id, book: book.id)
        )
        #expect(name.name == "Lovelace" && entry.isNew)
        let (rename, missing) = (SetReaderName(reader.id, to: "Nobody"), SetBookTitle(0, to: "Manual"))
        let error = await #expect(throws: ServiceError.self) { _ = try await storage.batch(rename, missing) }
        #expect(error?.code == .notFound)
        #expect(try await storage.perform(GetReader(reader.id)).name == "Lovelace")
    }

    @Test func whatHasAKeyIsCarriedOutOnce() async throws {
        let storage = storage
        let (handle, key) = (Unique.text("reader"), Unique.text("key"))
        let create = CreateReader(handle: handle, name: "Ada")
        let ids = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<4 { group.addTask { try await storage.perform(create, idempotencyKey: key).id } }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(ids.count == 1)
        let other = CreateReader(handle: handle + "2", name: "Ada")
        let error = await #expect(throws: ServiceError.self) {
            _ = try await storage.perform(other, idempotencyKey: key)
        }
        #expect(error?.code == .alreadyExists)
        // What was undone may be done again.
        let atomicKey = Unique.text("key")
        _ = try? await storage.atomic(idempotencyKey: atomicKey) { _ -> Int in throw Unwanted() }
        for number in 1...2 {
            let value = try await storage.atomic(idempotencyKey: atomicKey) { _ in number }
            #expect(value == 1)
        }
    }

    @Test func afterACancelledCallTheTestGoesOn() async throws {
        let reader = try await ReaderFactory(name: "Ada").create()
        let storage = storage
        for _ in 0..<20 {
            let (call, pair) = (SetReaderName(reader.id, to: "Nobody"), SetReaderName(reader.id, to: "Ada"))
            let task = Task { try await storage.perform(call) }
            await Task.yield()
            task.cancel()
            _ = try? await task.value
            _ = try await storage.batch(call, pair)
        }
        #expect(try await storage.perform(GetReader(reader.id)).name == "Ada")
    }

    @Test func aStreamIsRefused() async throws {
        let stream = storage.stream(FollowRun(run: .new()))
        let error = await #expect(throws: ServiceError.self) { _ = try await stream.result }
        #expect(error?.code == .failedPrecondition)
        #expect(error?.message.contains("runs.follow streams") == true)
    }

    @Test(.rolledBack) func theTraitMayStandOnSuiteAndTest() async throws {
        let reader = try await ReaderFactory().create()
        let again = try await TestStorage.rolledBack { try await storage.perform(GetReader(reader.id)) }
        #expect(again == reader.value)
    }
}
