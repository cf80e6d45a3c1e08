import Contract
import OctavoTesting
import RPC
import Testing
import Wire

@testable import Storage

/// What budgets get back, and what they do not.
extension StepTests {
    private func used(_ database: String) async throws -> [Int] {
        try await values(database, "select used::bigint from budget order by name")
    }

    @Test func whatWasBegunInAPeriodThatIsOverGivesTheNextNothing() async throws {
        let database = try await TestDatabase.make()
        try await StorageHost.run(database: database) { host in
            _ = try await host.admin.perform(SetBudget(name: "a", unit: .tokens, amount: 100_000, period: .month))
            try await host.admin.enqueue()
            try await host.withRunner { runner in
                let lease = try await runner.claim(1, as: "a")[0]
                _ = try await runner.perform(begin(lease, as: "a", tokens: 10_000))
                // A new month has begun, and others have used something of it.
                try await sql(
                    database,
                    "update run_step set began_at = began_at - interval '1 month'; update budget set used = 5000"
                )
                _ = try await runner.perform(try end(lease, as: "a", "So.", input: 1_000, output: 1_000))
                #expect(try await used(database) == [5_000])
            }
        }
    }

    @Test func whatWasBegunBeforeABudgetWasSetGivesItNothing() async throws {
        let database = try await TestDatabase.make()
        try await StorageHost.run(database: database) { host in
            try await host.admin.enqueue()
            try await host.withRunner { runner in
                let lease = try await runner.claim(1, as: "a")[0]
                _ = try await runner.perform(begin(lease, as: "a", tokens: 10_000))
                _ = try await host.admin.perform(SetBudget(name: "a", unit: .tokens, amount: 100_000))
                _ = try await runner.perform(begin(lease, as: "a", "2", tokens: 4_000))
                _ = try await runner.perform(try end(lease, as: "a", "So.", input: 100, output: 100))
                #expect(try await used(database) == [4_000])
                // With another amount it is the same budget.
                _ = try await host.admin.perform(SetBudget(name: "a", unit: .tokens, amount: 50_000))
                _ = try await runner.perform(
                    EndStep(run: lease.run, runner: "a", attempt: 1, step: "2", answer: nil, inputTokens: 1_000)
                )
                #expect(try await used(database) == [1_000])
            }
        }
    }

    @Test func aBudgetOfAnotherUnitBeginsAnew() async throws {
        let database = try await TestDatabase.make()
        try await StorageHost.run(database: database) { host in
            _ = try await host.admin.perform(SetBudget(name: "a", unit: .tokens, amount: 100_000))
            try await sql(database, "update budget set used = 7000")
            _ = try await host.admin.perform(SetBudget(name: "a", unit: .tokens, amount: 200_000))
            #expect(try await used(database) == [7_000])
            _ = try await host.admin.perform(SetBudget(name: "a", unit: .requests, amount: 10))
            #expect(try await used(database) == [0])
        }
    }
}
