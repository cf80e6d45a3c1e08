import Contract
import OctavoTesting
import Postgres
import RPC
import Testing
import Wire

@testable import Storage

/// What runs do, as monitoring sees it.
@Suite(.serialized) struct RunNumbersTests {
    private func withHost(_ body: @Sendable @escaping (StorageHost) async throws -> Void) async throws {
        try await StorageHost.run(database: TestDatabase.make(), body)
    }

    @Test func runsAreCountedByAgentWhoeverEndsThem() async throws {
        try await withHost { host in
            for _ in 0..<3 { try await host.admin.enqueue() }
            let cancelled = try await host.admin.enqueue("other").run
            _ = try await host.admin.perform(CancelRun(run: cancelled))
            try await host.withRunner { runner in
                for lease in try await runner.claim(2, as: "a") { try await runner.finish(lease, as: "a") }
                let metrics = try await host.admin.perform(GetRunMetrics())
                let echo = try #require(metrics.agents["echo"])
                #expect(echo.ended == ["succeeded": 2] && metrics.agents["other"]?.ended == ["cancelled": 1])
                #expect(echo.durations.buckets.reduce(0, +) == 2 && echo.durations.microseconds > 0)
                #expect(echo.pickups.buckets.reduce(0, +) >= 2 && echo.pickups.microseconds > 0)
                #expect(echo.underWay.values.reduce(0, +) == 1)
                // Asked again, nothing is counted twice.
                let again = try await host.admin.perform(GetRunMetrics())
                #expect(again.agents["echo"]?.ended == ["succeeded": 2])
            }
        }
    }

    @Test func moreAgentsThanAreToldApartAreOne() {
        let counts = RunCounts()
        for number in 0..<(GetRunMetrics.mostAgents + 10) { counts.ended("agent \(number)", .failed, after: 1) }
        counts.ended("agent 1", .succeeded, after: 0.001)
        #expect(counts.agents.count == GetRunMetrics.mostAgents + 1)
        #expect(counts.agents[GetRunMetrics.rest]?.ended == ["failed": 10])
        #expect(counts.agents["agent 1"]?.ended == ["failed": 1, "succeeded": 1])
    }

    /// Of a table whose rows are nearly all of no interest: an index says which are.
    @Test func neitherMessagesThatWereSentNorStepsOfLongAgoAreRead() async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(TestDatabase.make()))
        for (statement, indexes) in [
            (RunNumbers.waitingMessages, ["outbox_head", "outbox_ended"]),
            (RunSteps.costs(ListCosts(by: .agent)), ["run_step_began"]),
        ] {
            let results = try await connection.transaction([
                "select set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', 'off', true)",
                Query(unsafe: "explain " + statement.sql.replacing("$1", with: "29")),
            ])
            let plan = try results[1].map { try $0[0, as: String.self] }.joined(separator: "\n")
            for index in indexes { #expect(plan.contains(index), "\(plan)") }
        }
        await connection.close()
    }

    @Test func messagesThatWereNotTakenAreCounted() async throws {
        try await withHost { host in
            _ = try await host.admin.perform(AddWebhook(Webhook(name: "ci", url: "https://ci.example.com/")))
            for _ in 0..<2 { _ = try await host.admin.perform(TestWebhook("ci")) }
            let text = Prometheus.text([], runs: try await host.admin.perform(GetRunMetrics()))
            #expect(text.contains("octavo_outbox_messages{state=\"queued\"} 2\n"))
            #expect(text.contains("octavo_outbox_messages{state=\"dead\"} 0\n"))
        }
    }
}
