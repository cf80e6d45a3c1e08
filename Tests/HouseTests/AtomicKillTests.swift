import Contract
import RPC
import TestSupport
import Testing
import Wire

/// Storage killed again and again while transactions run: each is done whole, once, or not at all, and its caller knows.
@Suite(.serialized) struct AtomicKillTests {
    /// Title, name and entry of one step carry its number.
    private func step(_ number: Int, _ storage: RPCClient, reader: Int, book: Int) async throws {
        let entry = try await storage.perform(CreateBook(title: "Kept \(number) \(UInt64.random(in: 0 ... .max))"))
        try await storage.atomic { transaction in
            async let title = transaction.perform(SetBookTitle(book, to: "Step \(number)"))
            async let name = transaction.perform(SetReaderName(reader, to: "Step \(number)"))
            async let kept = transaction.perform(
                AddToReadingList(reader: reader, book: entry.id, summary: "Step \(number)")
            )
            _ = try await (title, name, kept)
        }
    }

    @Test func aKilledStorageLeavesNoTransactionInHalf() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            let (book, reader) = try await house.withAdmin(of: "storage") { storage in
                try await storage.batch(CreateBook(title: "Step 0"), CreateReader(handle: "ada", name: "Step 0"))
            }
            let (done, unknown) = try await withThrowingTaskGroup(of: ([Int], Int)?.self) { group in
                group.addTask {
                    for _ in 0..<6 {
                        try await Task.sleep(for: .milliseconds(.random(in: 50...400)))
                        house.kill("octavo-storage")
                        try await house.waitUntilReady()
                    }
                    return nil
                }
                group.addTask {
                    try await house.withAdmin(of: "storage") { storage in
                        var (done, unknown): ([Int], Int) = ([], 0)
                        for number in 1... {
                            do {
                                try await step(number, storage, reader: reader.id, book: book.id)
                                done.append(number)
                            } catch let error as ServiceError where error.code == .unavailable {
                                // Nothing was done: what is stored shows it.
                                try? await Task.sleep(for: .milliseconds(20))
                            } catch let error as ServiceError
                                where [.outcomeUnknown, .deadlineExceeded, .resourceExhausted].contains(error.code)
                            {
                                // Storage took longer to come back than the call may: stored whole, or not at all.
                                unknown += 1
                            } catch  where Task.isCancelled {
                                // The killer has finished: what is stored shows whether the last step was done.
                                unknown += 1
                            }
                            if Task.isCancelled { break }
                        }
                        return (done, unknown)
                    }
                }
                var done: ([Int], Int) = ([], 0)
                for try await result in group {
                    if let result { done = result } else { group.cancelAll() }
                }
                return done
            }
            try await house.waitUntilReady()
            try await house.withAdmin(of: "storage") { storage in
                let list = try await storage.perform(GetReadingList(reader: reader.id, limit: 200))
                let title = try await storage.perform(GetBook(book: book.id)).title
                #expect(list.reader.name == title)
                #expect(list.entries.first?.summary ?? "Step 0" == title)
                // What was said to be done is there; nothing else is but steps of which nobody could say.
                let kept = Set(list.entries.compactMap(\.summary))
                let expected = Set(done.suffix(200 - 1).map { "Step \($0)" })
                #expect(list.entries.count == 200 || expected.isSubset(of: kept))
                #expect(kept.count == list.entries.count)
                #expect(list.entries.count == 200 || kept.subtracting(expected).count <= unknown)
            }
        }
    }
}
