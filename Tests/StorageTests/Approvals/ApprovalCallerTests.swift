import Contract
import OctavoTesting
import RPC
import Testing
import Wire

@testable import Storage

/// Whose rules about approvals count: those of the run's agent, of the one that calls, and what the runner demands.
@Suite(.serialized) struct ApprovalCallerTests {
    private func withHost(_ body: @Sendable @escaping (StorageHost, String) async throws -> Void) async throws {
        let database = try await TestDatabase.make()
        try await StorageHost.run(database: database) { host in
            _ = try await host.admin.perform(RequireApproval(agent: "echo", tool: "order", seconds: 3_600))
            try await body(host, database)
        }
    }

    /// Rules about the agent `desk`, whose tools the agent `echo` uses by asking it or consisting of it.
    private func withDesk(
        tool: String = "search",
        _ body: @Sendable @escaping (StorageHost, RPCClient, ClaimRuns.Lease, String) async throws -> Void
    ) async throws {
        try await withHost { host, database in
            _ = try await host.admin.perform(RequireApproval(agent: "desk", tool: tool, seconds: 60))
            try await host.admin.enqueue()
            try await host.withRunner { runner in
                try await body(host, runner, try await runner.claim(1, as: "a")[0], database)
            }
        }
    }

    @Test func anAgentWithinTheRunOfAnotherHasItsOwnRulesToo() async throws {
        try await withDesk { host, runner, lease, _ in
            let free = try await runner.begin(lease, tool: "search", step: "1/a", agent: "echo")
            #expect(free.state == .begun)
            let part = try await runner.begin(lease, tool: "search", step: "desk#1/1/a", agent: "desk")
            #expect(part.state == .waiting)
            let asked = try #require(await host.approvals().first)
            #expect(asked.agent == "desk" && asked.tool == "search")
            // The run's agent may not have done either what its rule forbids.
            let order = try await runner.begin(lease, tool: "order", step: "desk#1/1/b", agent: "desk")
            #expect(order.state == .waiting)
            _ = try await host.admin.perform(RequireApproval(agent: "echo", tool: "order", seconds: nil))
            let other = try await runner.begin(lease, tool: "order", step: "desk#1/1/c", agent: "desk")
            #expect(other.state == .begun)
        }
    }

    @Test func ofTheRulesOfBothAgentsTheShorterTimeCounts() async throws {
        for (own, parts) in [(60, 3_600), (3_600, 60)] {
            try await withDesk(tool: "order") { host, runner, lease, database in
                _ = try await host.admin.perform(RequireApproval(agent: "echo", tool: "order", seconds: own))
                _ = try await host.admin.perform(RequireApproval(agent: "desk", tool: "order", seconds: parts))
                _ = try await runner.begin(lease, step: "desk#1/1/a", agent: "desk")
                let seconds = "select round(extract(epoch from expires_at - asked_at))::bigint from approval"
                #expect(try await values(database, seconds) == [60])
            }
        }
    }

    @Test func aPartOfWhichItIsNotSaidWhoseItIsHasTheRulesOfAllAgents() async throws {
        try await withDesk { _, runner, lease, _ in
            let part = try await runner.begin(lease, tool: "search", step: "desk#1/1/a", agent: nil)
            #expect(part.state == .waiting)
            // What is the run's own says so by its name.
            let own = try await runner.begin(lease, tool: "search", step: "12/a", agent: nil)
            #expect(own.state == .begun)
        }
    }

    @Test func aRunnerMayDemandMoreThanTheRulesAndNeverLess() async throws {
        try await withHost { host, database in
            try await host.admin.enqueue()
            try await host.withRunner { runner in
                let lease = try await runner.claim(1, as: "a")[0]
                let free = try await runner.begin(lease, tool: "search", approval: .init(seconds: 60, why: "Why not."))
                #expect(free.state == .waiting)
                let asked = try #require(await host.approvals().first)
                #expect(asked.why == "Why not.")
                let longer = BeginStep.Demand(seconds: 7_200, why: "")
                let bound = try await runner.begin(lease, step: "2/a", approval: longer)
                #expect(bound.state == .waiting)
                let seconds =
                    "select round(extract(epoch from expires_at - asked_at))::bigint from approval order by id"
                #expect(try await values(database, seconds) == [60, 3_600])
                await #expect(throws: ServiceError.self) {
                    _ = try await runner.begin(lease, step: "3/a", approval: .init(seconds: 0, why: ""))
                }
            }
        }
    }
}
