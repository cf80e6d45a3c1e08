import Contract
import OctavoTesting
import RPC
import Synchronization
import Testing
import Wire

/// Answers to COMMIT that never arrive: nothing is lost, and nothing done twice.
@Suite(.serialized) struct LostCommitTests {
    @Test func threeHundredLostAnswersLoseNothingAndDoubleNothing() async throws {
        let database = try await TestDatabase.make()
        try await CommitCutter.run(every: 2, before: database) { cutter, through in
            try await TestStorage.run(database: through) { storage in
                let client = storage.client
                try await withThrowingDiscardingTaskGroup { group in
                    for number in 0..<6 {
                        group.addTask {
                            let new = CreateReader(handle: "reader \(number)", name: "0")
                            let reader = try await patiently {
                                try await client.perform(new, idempotencyKey: new.handle)
                            }
                            try await count(to: 80, reader, client)
                        }
                    }
                    for number in 6..<8 {
                        group.addTask {
                            let new = CreateReader(handle: "reader \(number)", name: "0")
                            let reader = try await patiently {
                                try await client.perform(new, idempotencyKey: new.handle)
                            }
                            try await keep(80, reader, client)
                        }
                    }
                }
                #expect(cutter.cuts >= 300)
            }
        }
    }

    /// Adds one to a number, which is the reader's name, again and again.
    private func count(to limit: Int, _ reader: Reader, _ storage: RPCClient) async throws {
        for expected in 1...limit {
            try await patiently {
                try await storage.atomic(deadline: .seconds(60)) { transaction in
                    let name = try await transaction.perform(GetReader(reader.id)).name
                    _ = try await transaction.perform(SetReaderName(reader.id, to: "\((Int(name) ?? -1) + 1)"))
                }
            }
            let name = try await patiently { try await storage.perform(GetReader(reader.id)).name }
            #expect(name == "\(expected)")
        }
    }

    /// The same by batches with keys, which add an entry each.
    private func keep(_ limit: Int, _ reader: Reader, _ storage: RPCClient) async throws {
        for number in 1...limit {
            let key = "\(reader.handle) \(number)"
            let (book, _) = try await patiently {
                try await storage.batch(
                    CreateBook(title: key),
                    SetReaderName(reader.id, to: "\(number)"),
                    idempotencyKey: key
                )
            }
            #expect(book.title == key)
        }
    }
}

/// A call of which nothing was done is made again: Postgres was taken for away, or the processors were for so long
/// that the transaction was ended as idle.
func patiently<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
    while true {
        do {
            return try await body()
        } catch let error as ServiceError where error.retry == .safe {
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
