import Contract
import Glibc
import OctavoTesting
import Postgres
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

    /// A run whose call waits for somebody.
    private func withWaiting(
        lane: String? = nil,
        _ body: @Sendable @escaping (StorageHost, RPCClient, RunID, String) async throws -> Void
    ) async throws {
        try await withHost { host, database in
            let run = try await host.admin.enqueue { $0.lane = lane }.run
            try await host.withRunner { runner in
                let lease = try await runner.claim(1, as: "a")[0]
                let begun = try await runner.begin(lease)
                #expect(begun.state == .waiting)
                try await runner.giveBack(lease)
                let state = try await host.admin.state(of: run)
                #expect(state == .waiting)
                try await body(host, runner, run, database)
            }
        }
    }

    /// Whoever runs the tests.
    private static let user = getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) }

    @Test func whatIsApprovedIsCalledOnceAndCostsNoTry() async throws {
        try await withWaiting { host, runner, run, _ in
            let asked = try #require(await host.approvals().first)
            #expect(asked.run == run && asked.tool == "order" && asked.arguments == #"{"count":3}"# && asked.by == nil)
            _ = try await host.admin.perform(DecideApproval(asked.approval, approve: true))
            let lease = try await runner.claim(1, as: "a")[0]
            let begun = try await runner.begin(lease)
            #expect(begun.state == .begun && lease.attempt == 2)
            let used = try #require(await host.approvals().first)
            #expect(used.state == .used && used.by == Self.user)
            let failures = try await host.admin.perform(GetRun(run: run)).failures
            #expect(failures == 0)
            // The next call with the same arguments is another call.
            let other = try await runner.begin(lease, step: "2/a")
            #expect(other.state == .waiting)
        }
    }

    @Test func aCallWhoseBeginningWasNotHeardOfIsNotAskedForAgain() async throws {
        try await withWaiting { host, runner, _, _ in
            let asked = try #require(await host.approvals().first)
            _ = try await host.admin.perform(DecideApproval(asked.approval, approve: true))
            let lease = try await runner.claim(1, as: "a")[0]
            let begun = try await runner.begin(lease)
            let again = try await runner.begin(lease)
            #expect(begun.state == .begun && again.state == .begun)
            let states = try await host.approvals().map(\.state)
            #expect(states == [.used])
        }
    }

    /// The connection broke before the first was committed, and the runner says it again at once.
    @Test func aCallThatIsRepeatedWhileItBeginsIsNotAskedForAgain() async throws {
        try await withWaiting { host, runner, run, database in
            let asked = try #require(await host.approvals().first)
            _ = try await host.admin.perform(DecideApproval(asked.approval, approve: true))
            let lease = try await runner.claim(1, as: "a")[0]
            let first = try await PostgresConnection.connect(PostgresConfiguration(database))
            let (attempt, arguments) = (lease.attempt, asked.arguments)
            try await first.query("begin")
            try await first.query(
                """
                select octavo_call_tool(\(run.uuid), 'a', \(attempt)::integer, '1/a', 'order', \(arguments), \(arguments), false,
                    'echo', null, null)
                """
            )
            async let again = runner.begin(lease)
            let waits = """
                select count(*) from pg_stat_activity
                where datname = current_database() and wait_event_type = 'Lock' and query like '%octavo_call_tool%'
                """
            try await eventually { try await values(database, waits) == [1] }
            try await first.query("commit")
            await first.close()
            let begun = try await again
            #expect(begun.state == .begun)
            let states = try await host.approvals().map(\.state)
            #expect(states == [.used])
        }
    }

    @Test func otherArgumentsAreNotWhatWasApproved() async throws {
        try await withWaiting { host, runner, _, _ in
            let asked = try #require(await host.approvals().first)
            _ = try await host.admin.perform(DecideApproval(asked.approval, approve: true))
            let lease = try await runner.claim(1, as: "a")[0]
            let changed = try await runner.begin(lease, #"{"count":3000}"#)
            #expect(changed.state == .waiting)
            let states = try await host.approvals().map(\.state)
            #expect(states == [.pending, .void])
            // And what was approved does not come back.
            let back = try await runner.begin(lease)
            #expect(back.state == .waiting)
        }
    }

    @Test func whatIsDeniedIsNotCalledAndTheModelIsToldWhy() async throws {
        try await withWaiting { host, runner, _, _ in
            let asked = try #require(await host.approvals().first)
            _ = try await host.admin.perform(DecideApproval(asked.approval, approve: false, reason: "Too many."))
            let lease = try await runner.claim(1, as: "a")[0]
            for _ in 0..<2 {
                let begun = try await runner.begin(lease)
                #expect(begun.state == .denied && begun.reason == "Too many.")
            }
        }
    }

    /// A runner that had read something before its restart may not know of it after.
    @Test func whatIsDeniedIsNotCalledAlsoWhenNobodyWouldBeAskedAnyMore() async throws {
        try await withWaiting { host, runner, _, database in
            let asked = try #require(await host.approvals().first)
            _ = try await host.admin.perform(DecideApproval(asked.approval, approve: false))
            try await sql(database, "delete from approval_rule")
            let lease = try await runner.claim(1, as: "a")[0]
            let begun = try await runner.begin(lease)
            #expect(begun.state == .denied)
        }
    }

    @Test func whatNobodyDecidesInTimeIsNotCalled() async throws {
        try await withWaiting { host, runner, run, database in
            try await sql(database, "update approval set expires_at = now()")
            try await eventually { try await host.admin.state(of: run) != .waiting }
            let lease = try await runner.claim(1, as: "a")[0]
            let begun = try await runner.begin(lease)
            #expect(begun.state == .denied && begun.reason?.contains("in time") == true)
            let expired = try #require(await host.approvals().first)
            await #expect(throws: ServiceError.self) {
                try await host.admin.perform(DecideApproval(expired.approval, approve: true))
            }
        }
    }

    @Test func ofManyWhoDecideAtOnceOneHasDecided() async throws {
        try await withWaiting { host, _, run, _ in
            let asked = try #require(await host.approvals().first)
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
            let asked = try #require(await host.approvals().first)
            _ = try await host.admin.perform(DecideApproval(asked.approval, approve: true))
            let (first, second) = (try await host.admin.state(of: run), try await host.admin.state(of: next))
            #expect(first != .waiting && second == .waiting)
            try await runner.finish(runner.claim(1, as: "a")[0], as: "a")
            // Whoever offered to work a moment ago may have it already.
            let turn = try await host.admin.state(of: next)
            #expect(turn == .queued || turn == .running)
        }
    }

    @Test func aDecisionThatComesWhileTheRunIsBeingReleasedIsNotMissed() async throws {
        try await withHost { host, _ in
            for _ in 0..<20 {
                let run = try await host.admin.enqueue().run
                try await host.withRunner { runner in
                    let lease = try await runner.claim(1, as: "a")[0]
                    _ = try await runner.begin(lease)
                    let asked = try #require(await host.approvals().first)
                    async let decided = host.admin.perform(DecideApproval(asked.approval, approve: true))
                    async let released: Void = runner.giveBack(lease)
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
            let asked = try #require(await host.approvals().first)
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

    @Test func ofADecisionThatCameBeforeTheRunWasGivenBackNothingIsTold() async throws {
        try await withHost { host, _ in
            let run = try await host.admin.enqueue().run
            try await host.withRunner { runner in
                let lease = try await runner.claim(1, as: "a")[0]
                _ = try await runner.begin(lease)
                let asked = try #require(await host.approvals().first)
                _ = try await host.admin.perform(DecideApproval(asked.approval, approve: true))
                // Whoever holds the lease numbers the events, and nobody was told that it waits.
                try await runner.giveBack(lease)
                let next = try await runner.claim(1, as: "a")[0]
                #expect(next.run == run && next.next == 1)
            }
        }
    }

    @Test func nobodyHasToDecideAboutARunThatHasEnded() async throws {
        try await withWaiting { host, _, run, _ in
            _ = try await host.admin.perform(CancelRun(run: run))
            let pending = try await host.admin.perform(ListApprovals(state: .pending)).approvals
            let all = try await host.approvals()
            #expect(pending.isEmpty && all.map(\.state) == [.void])
        }
    }

    @Test func aToolOfWhichNobodySaidSoIsCalledAtOnce() async throws {
        try await withHost { host, _ in
            try await host.admin.enqueue()
            try await host.withRunner { runner in
                let lease = try await runner.claim(1, as: "a")[0]
                let free = try await runner.begin(lease, tool: "search")
                #expect(free.state == .begun)
                _ = try await host.admin.perform(RequireApproval(agent: "echo", tool: "order", seconds: nil))
                let trusted = try await runner.begin(lease, step: "2/a")
                #expect(trusted.state == .begun)
            }
            await #expect(throws: ServiceError.self) {
                try await host.admin.perform(DecideApproval(99, approve: true))
            }
        }
    }
}
