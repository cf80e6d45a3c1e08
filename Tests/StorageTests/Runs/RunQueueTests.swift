import Contract
import OctavoTesting
import RPC
import Testing

@testable import Storage

/// From where queues are read.
@Suite(.serialized) struct RunQueueTests {
    @Test(.timeLimit(.minutes(5))) func aRunWhoseTicketIsGivenAgainIsGivenOut() async throws {
        let database = try await TestDatabase.make()
        try await sql(database, "select setval('run_ticket', 1000)")
        try await sql(database, "insert into runner values ('a', 1, 'infinity')")
        try await StorageHost.withDatabase(database) { storage, _ in
            let queue = RunQueue(database: storage, counts: RunCounts())
            let name = RunQueue.Name(agent: "echo", priority: 1)
            let claim = {
                try await queue.claim(for: "a", [.init(agent: "echo", provider: "p")], most: 8).leases.count
            }
            let enqueue = {
                let run = EnqueueRun(run: .new(), agent: "echo", question: Question(text: "How?", channel: .http))
                _ = try await storage.rows(Acceptance.enqueue([run]), deadline: .now + .seconds(10))
            }
            try await enqueue()
            let first = try await claim()
            #expect(first == 1)
            try await eventually {
                try await queue.raiseFloors()
                return (queue.floors[name] ?? 0) > 1_000
            }
            // As a copy has it that takes over without the last that was written.
            try await sql(database, "select setval('run_ticket', 500)")
            try await enqueue()
            try await eventually {
                try await queue.raiseFloors()
                return try await claim() == 1
            }
        }
    }
}
