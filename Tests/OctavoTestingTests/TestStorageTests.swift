import Contract
import OctavoTesting
import RPC
import Synchronization
import Testing
import Wire

/// Lets nobody go on until so many are there for the first time, and counts how many there are at once.
private final class Together: Sendable {
    private let state = Mutex((now: 0, most: 0))
    private let all = AsyncStream<Void>.makeStream()
    private let wanted: Int

    init(_ wanted: Int) {
        self.wanted = wanted
    }

    var most: Int { state.withLock { $0.most } }

    func enter() async {
        let areAllThere = state.withLock { state in
            state.now += 1
            state.most = max(state.most, state.now)
            return state.most >= wanted
        }
        if areAllThere { all.continuation.finish() }
        for await _ in all.stream {}
    }

    func leave() { state.withLock { $0.now -= 1 } }
}

/// Tests in transactions that are rolled back: seen from outside.
@Suite(.serialized) struct TestStorageTests {
    private struct Unwanted: Error {}

    @Test func nothingIsLeftHoweverTheTestEnds() async throws {
        let storage = try await TestStorage.shared.client
        let reader = try await TestStorage.rolledBack { try await ReaderFactory().create() }
        var other: Stored<Reader>?
        await #expect(throws: Unwanted.self) {
            try await TestStorage.rolledBack {
                other = try await ReaderFactory().create()
                throw Unwanted()
            }
        }
        for id in [reader.id, try #require(other).id] {
            let error = await #expect(throws: ServiceError.self) { _ = try await storage.perform(GetReader(id)) }
            #expect(error?.code == .notFound)
        }
    }

    @Test func aTestIsNotRunAgainWhateverItThrows() async throws {
        var runs = 0
        await #expect(throws: ServiceError.self) {
            try await TestStorage.rolledBack {
                runs += 1
                throw ServiceError.aborted("Another transaction was faster; try again.")
            }
        }
        #expect(runs == 1)
    }

    @Test func manyMoreTestsThanConnectionsWaitForOneAnother() async throws {
        try await TestStorage.run(transactions: 4) { storage in
            let together = Together(4)
            try await withThrowingDiscardingTaskGroup { group in
                for _ in 0..<100 {
                    group.addTask {
                        try await storage.rolledBack {
                            await together.enter()
                            let reader = try await ReaderFactory().create()
                            let readers = try await storage.client.perform(ListReaders()).readers
                            #expect(readers == [reader.value])
                            together.leave()
                        }
                    }
                }
            }
            #expect(together.most == 4)
            #expect(try await storage.client.perform(ListReaders()).readers == [])
        }
    }

    /// Longer than others wait for a connection, 2 s.
    @Test func aTestWaitsForItsConnectionAsLongAsItTakes() async throws {
        try await TestStorage.run(transactions: 1) { storage in
            try await withThrowingDiscardingTaskGroup { group in
                for _ in 0..<2 {
                    group.addTask {
                        try await storage.rolledBack {
                            _ = try await ReaderFactory().create()
                            try await Task.sleep(for: .milliseconds(2_200))
                        }
                    }
                }
            }
        }
    }

    @Test func whatIsLeftRunningIsToldThatTheTestIsOver() async throws {
        let left = try await TestStorage.rolledBack {
            let storage = try TestStorage.client
            let (over, isOver) = AsyncStream<Void>.makeStream()
            let task = Task {
                for await _ in over {}
                return try await storage.perform(ListReaders())
            }
            return (task: task, isOver: isOver)
        }
        left.isOver.finish()
        let error = await #expect(throws: ServiceError.self) { _ = try await left.task.value }
        #expect(error?.code == .failedPrecondition)
    }

    @Test func withoutATransactionThereIsNoStorage() async throws {
        let error = await #expect(throws: (any Error).self) { try await ReaderFactory().create() }
        #expect(error.map { "\($0)" }?.contains(".rolledBack") == true)
    }

    @Test func insideAStorageOfItsOwnFactoriesUseThat() async throws {
        try await TestStorage.run { storage in
            let reader = try await ReaderFactory().create()
            #expect(try await storage.client.perform(GetReader(reader.id)) == reader.value)
        }
    }
}
