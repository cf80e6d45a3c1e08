import Contract
import OctavoTesting
import RPC
import Synchronization
import Testing
import Wire

/// Many transactions at the same time, some of which have to run again.
extension AtomicTests {
    @Test func aLostRaceRunsTheClosureAgain() async throws {
        try await withLibrary { storage, _, reader in
            // Each reads the name and writes a longer one: without isolation letters would be lost.
            _ = try await storage.perform(SetReaderName(reader.id, to: "-"))
            let runs = Counter()
            try await withThrowingDiscardingTaskGroup { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await patiently {
                            try await storage.atomic(isolation: .serializable, deadline: .seconds(120)) { transaction in
                                runs.count()
                                let name = try await transaction.perform(GetReader(reader.id)).name
                                _ = try await transaction.perform(SetReaderName(reader.id, to: name + "x"))
                            }
                        }
                    }
                }
            }
            #expect(try await storage.perform(GetReader(reader.id)).name == "-xxxxxxxx")
            #expect(runs.value >= 8)
        }
    }

    @Test func aDeadlockRunsTheClosureAgain() async throws {
        try await withLibrary { storage, book, reader in
            let runs = Counter()
            @Sendable func write(_ transaction: Transaction, bookFirst: Bool) async throws {
                if bookFirst { _ = try await transaction.perform(SetBookTitle(book.id, to: "Manual")) }
                _ = try await transaction.perform(SetReaderName(reader.id, to: "Lovelace"))
                if !bookFirst { _ = try await transaction.perform(SetBookTitle(book.id, to: "Manual")) }
            }
            try await withThrowingDiscardingTaskGroup { group in
                for number in 0..<3 {
                    group.addTask {
                        try await patiently {
                            try await storage.atomic(deadline: .seconds(120)) { transaction in
                                runs.count()
                                try await write(transaction, bookFirst: number % 2 == 0)
                            }
                        }
                    }
                }
            }
            #expect(runs.value >= 3)
            #expect(try await storage.perform(GetBook(book: book.id)).title == "Manual")
        }
    }

    @Test func manyMoreTransactionsThanConnectionsAllEnd() async throws {
        try await withLibrary { storage, book, reader in
            try await withThrowingDiscardingTaskGroup { group in
                for number in 0..<200 {
                    group.addTask {
                        try await patiently {
                            try await storage.atomic(deadline: .seconds(120)) { transaction in
                                _ = try await transaction.perform(SetReaderName(reader.id, to: "Reader \(number)"))
                            }
                        }
                    }
                }
            }
        }
    }
}
