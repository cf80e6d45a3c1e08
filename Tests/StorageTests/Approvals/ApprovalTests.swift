import Contract
import OctavoTesting
import RPC
import Testing
import Wire

@testable import Storage

/// Calls of tools that a person has to approve.
@Suite(.serialized) struct ApprovalTests {
    private func withHost(_ body: @Sendable @escaping (StorageHost, String) async throws -> Void) async throws {
        let database = try await TestDatabase.make()
        try await StorageHost.run(database: database) { host in
            _ = try await host.admin.perform(RequireApproval(agent: "echo", tool: "order", seconds: 3_600))
            try await body(host, database)
        }
    }

    private func begin(
        _ lease: ClaimRuns.Lease,
        _ runner: RPCClient,
        _ arguments: String = #"{"count":3}"#,
        tool: String = "order",
        step: String = "1/a",
        agent: String? = "echo",
        approval: BeginStep.Demand? = nil
    ) async throws -> BeginStep.Result {
        let begin = BeginStep(
            run: lease.run,
            runner: "a",
            attempt: lease.attempt,
            step: step,
            kind: .tool,
            name: tool,
            digest: arguments,
            tokens: 0,
            repeats: false,
            arguments: arguments,
            agent: agent,
            approval: approval
        )
        return try await runner.perform(begin)
    }

    private func release(_ lease: ClaimRuns.Lease, _ runner: RPCClient) async throws {
        let release = ReleaseRun(run: lease.run, runner: "a", attempt: lease.attempt, reason: .awaiting)
        _ = try await runner.perform(release)
    }

    private func approvals(_ host: StorageHost) async throws -> [ListApprovals.Result.Line] {
        try await host.admin.perform(ListApprovals()).approvals
    }

    /// A run whose call waits for somebody.
    private func withWaiting(
        lane: String? = nil,
        _ body: @Sendable @escaping (StorageHost, RPCClient, RunID, String) async throws -> Void
    ) async throws {
        try await withHost { host, database in
            let run = try await host.admin.enqueue { $0.lane = lane }.run
            try await host.withRunner { runner in
                let lease = try await runner.claim(1, as: "a")[0]
                let begun = try await begin(lease, runner)
                #expect(begun.state == .waiting)
                try await release(lease, runner)
                let state = try await host.admin.state(of: run)
                #expect(state == .waiting)
                try await body(host, runner, run, database)
            }
        }
    }

    @Test func whatIsApprovedIsCalledOnceAndCostsNoTry() async throws {
        try await withWaiting { host, runner, run, _ in
            let asked = try #require(await approvals(host).first)
            #expect(asked.run == run && asked.tool == "order" && asked.arguments == #"{"count":3}"# && asked.by == nil)
            _ = try await host.admin.perform(DecideApproval(asked.approval, approve: true))
            let lease = try await runner.claim(1, as: "a")[0]
            let begun = try await begin(lease, runner)
            #expect(begun.state == .begun && lease.attempt == 2)
            let used = try #require(await approvals(host).first)
            #expect(used.state == .used && used.by?.hasPrefix("uid ") == true)
            let failures = try await host.admin.perform(GetRun(run: run)).failures
            #expect(failures == 0)
            // The next call with the same arguments is another call.
            let other = try await begin(lease, runner, step: "2/a")
            #expect(other.state == .waiting)
        }
    }

    @Test func otherArgumentsAreNotWhatWasApproved() async throws {
        try await withWaiting { host, runner, _, _ in
            let asked = try #require(await approvals(host).first)
            _ = try await host.admin.perform(DecideApproval(asked.approval, approve: true))
            let lease = try await runner.claim(1, as: "a")[0]
            let changed = try await begin(lease, runner, #"{"count":3000}"#)
            #expect(changed.state == .waiting)
            let states = try await approvals(host).map(\.state)
            #expect(states == [.pending, .void])
            // And what was approved does not come back.
            let back = try await begin(lease, runner)
            #expect(back.state == .waiting)
        }
    }

    @Test func whatIsDeniedIsNotCalledAndTheModelIsToldWhy() async throws {
        try await withWaiting { host, runner, _, _ in
            let asked = try #require(await approvals(host).first)
            _ = try await host.admin.perform(DecideApproval(asked.approval, approve: false, reason: "Too many."))
            let lease = try await runner.claim(1, as: "a")[0]
            for _ in 0..<2 {
                let begun = try await begin(lease, runner)
                #expect(begun.state == .denied && begun.reason == "Too many.")
            }
        }
    }

    @Test func whatNobodyDecidesInTimeIsNotCalled() async throws {
        try await withWaiting { host, runner, run, database in
            try await sql(database, "update approval set expires_at = now()")
            try await eventually { try await host.admin.state(of: run) != .waiting }
            let lease = try await runner.claim(1, as: "a")[0]
            let begun = try await begin(lease, runner)
            #expect(begun.state == .denied && begun.reason?.contains("in time") == true)
            let expired = try #require(await approvals(host).first)
            await #expect(throws: ServiceError.self) {
                try await host.admin.perform(DecideApproval(expired.approval, approve: true))
            }
        }
    }

    @Test func ofManyWhoDecideAtOnceOneHasDecided() async throws {
        try await withWaiting { host, _, run, _ in
            let asked = try #require(await approvals(host).first)
            let decided = await withTaskGroup(of: Bool.self) { group in
                for number in 0..<20 {
                    group.addTask {
                        let decide = DecideApproval(asked.approval, approve: number % 2 == 0)
                        return (try? await host.admin.perform(decide)) != nil
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            let state = try await host.admin.state(of: run)
            #expect(decided == 1 && state != .waiting)
        }
    }

    @Test func aRunThatWaitsForAPersonKeepsItsTurnAndWhoComesAfterItWaits() async throws {
        try await withWaiting(lane: "l") { host, runner, run, _ in
            let next = try await host.admin.enqueue { $0.lane = "l" }.run
            let state = try await host.admin.state(of: next)
            #expect(state == .waiting)
            let asked = try #require(await approvals(host).first)
            _ = try await host.admin.perform(DecideApproval(asked.approval, approve: true))
            let (first, second) = (try await host.admin.state(of: run), try await host.admin.state(of: next))
            #expect(first != .waiting && second == .waiting)
            try await runner.finish(runner.claim(1, as: "a")[0], as: "a")
            let turn = try await host.admin.state(of: next)
            #expect(turn == .queued)
        }
    }

    @Test func aDecisionThatComesWhileTheRunIsBeingReleasedIsNotMissed() async throws {
        try await withHost { host, _ in
            for _ in 0..<20 {
                let run = try await host.admin.enqueue().run
                try await host.withRunner { runner in
                    let lease = try await runner.claim(1, as: "a")[0]
                    _ = try await begin(lease, runner)
                    let asked = try #require(await approvals(host).first)
                    async let decided = host.admin.perform(DecideApproval(asked.approval, approve: true))
                    async let released: Void = release(lease, runner)
                    _ = try await (decided, released)
                    // Whoever offered to work may have it again already.
                    let state = try await host.admin.state(of: run)
                    #expect(state != .waiting)
                    _ = try await host.admin.perform(CancelRun(run: run))
                }
            }
        }
    }

    @Test func whoFollowsHearsWhatWaitsAndWhatWasDecided() async throws {
        try await withWaiting { host, runner, run, _ in
            let asked = try #require(await approvals(host).first)
            _ = try await host.admin.perform(DecideApproval(asked.approval, approve: false, reason: "Too many."))
            let lease = try await runner.claim(1, as: "a")[0]
            // The runner goes on counting behind them.
            #expect(lease.next == 3)
            try await runner.finish(lease, as: "a")
            var notices: [ApprovalNotice] = []
            for try await event in host.admin.stream(FollowRun(run: run), deadline: .seconds(30)).items {
                if case .approval(let notice) = event.body { notices.append(notice) }
            }
            #expect(notices.map(\.state) == [.pending, .denied] && notices.last?.reason == "Too many.")
            #expect(notices.allSatisfy { $0.agent == "echo" && $0.tool == "order" && $0.expires == asked.expires })
        }
    }

    @Test func aDecisionWhileTheRunIsCarriedOutIsToldOfWhenItIsGivenBack() async throws {
        try await withHost { host, _ in
            let run = try await host.admin.enqueue().run
            try await host.withRunner { runner in
                let lease = try await runner.claim(1, as: "a")[0]
                _ = try await begin(lease, runner)
                let asked = try #require(await approvals(host).first)
                _ = try await host.admin.perform(DecideApproval(asked.approval, approve: true))
                // Whoever holds the lease numbers the events.
                #expect(try await host.admin.perform(GetRun(run: run)).events == 0)
                try await release(lease, runner)
                let next = try await runner.claim(1, as: "a")[0]
                #expect(next.next == 2)
            }
        }
    }

    // MARK: Agents within a run of another

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
            let free = try await begin(lease, runner, tool: "search", step: "1/a", agent: "echo")
            #expect(free.state == .begun)
            let part = try await begin(lease, runner, tool: "search", step: "desk#1/1/a", agent: "desk")
            #expect(part.state == .waiting)
            let asked = try #require(await approvals(host).first)
            #expect(asked.agent == "desk" && asked.tool == "search")
            // The run's agent may not have done either what its rule forbids.
            let order = try await begin(lease, runner, tool: "order", step: "desk#1/1/b", agent: "desk")
            #expect(order.state == .waiting)
            _ = try await host.admin.perform(RequireApproval(agent: "echo", tool: "order", seconds: nil))
            let other = try await begin(lease, runner, tool: "order", step: "desk#1/1/c", agent: "desk")
            #expect(other.state == .begun)
        }
    }

    @Test func ofTheRulesOfBothAgentsTheShorterTimeCounts() async throws {
        for (own, parts) in [(60, 3_600), (3_600, 60)] {
            try await withDesk(tool: "order") { host, runner, lease, database in
                _ = try await host.admin.perform(RequireApproval(agent: "echo", tool: "order", seconds: own))
                _ = try await host.admin.perform(RequireApproval(agent: "desk", tool: "order", seconds: parts))
                _ = try await begin(lease, runner, step: "desk#1/1/a", agent: "desk")
                let seconds = "select round(extract(epoch from expires_at - asked_at))::bigint from approval"
                #expect(try await values(database, seconds) == [60])
            }
        }
    }

    @Test func aPartOfWhichItIsNotSaidWhoseItIsHasTheRulesOfAllAgents() async throws {
        try await withDesk { _, runner, lease, _ in
            let part = try await begin(lease, runner, tool: "search", step: "desk#1/1/a", agent: nil)
            #expect(part.state == .waiting)
            // What is the run's own says so by its name.
            let own = try await begin(lease, runner, tool: "search", step: "12/a", agent: nil)
            #expect(own.state == .begun)
        }
    }

    @Test func aRunnerMayDemandMoreThanTheRulesAndNeverLess() async throws {
        try await withHost { host, database in
            try await host.admin.enqueue()
            try await host.withRunner { runner in
                let lease = try await runner.claim(1, as: "a")[0]
                let free = try await begin(lease, runner, tool: "search", approval: .init(seconds: 60, why: "Why not."))
                #expect(free.state == .waiting)
                let asked = try #require(await approvals(host).first)
                #expect(asked.why == "Why not.")
                let longer = BeginStep.Demand(seconds: 7_200, why: "")
                let bound = try await begin(lease, runner, step: "2/a", approval: longer)
                #expect(bound.state == .waiting)
                let seconds =
                    "select round(extract(epoch from expires_at - asked_at))::bigint from approval order by id"
                #expect(try await values(database, seconds) == [60, 3_600])
                await #expect(throws: ServiceError.self) {
                    _ = try await begin(lease, runner, step: "3/a", approval: .init(seconds: 0, why: ""))
                }
            }
        }
    }

    @Test func aToolOfWhichNobodySaidSoIsCalledAtOnce() async throws {
        try await withHost { host, _ in
            try await host.admin.enqueue()
            try await host.withRunner { runner in
                let lease = try await runner.claim(1, as: "a")[0]
                let free = try await begin(lease, runner, tool: "search")
                #expect(free.state == .begun)
                _ = try await host.admin.perform(RequireApproval(agent: "echo", tool: "order", seconds: nil))
                let trusted = try await begin(lease, runner, step: "2/a")
                #expect(trusted.state == .begun)
            }
            await #expect(throws: ServiceError.self) {
                try await host.admin.perform(DecideApproval(99, approve: true))
            }
        }
    }
}
