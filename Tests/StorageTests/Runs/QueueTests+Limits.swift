import Contract
import OctavoTesting
import Postgres
import RPC
import Testing
import Wire

@testable import Storage

/// What holds runs back that are queued: limits of their agents, and providers that want to be left alone.
extension QueueTests {
    @Test func noMoreOfAnAgentRunThanItsLimitAllowsAndOthersGoOn() async throws {
        try await withHost { host in
            _ = try await host.admin.perform(LimitRuns(agent: "slow", concurrent: 2))
            for _ in 0..<5 { try await host.admin.enqueue("slow") }
            let other = try await host.admin.enqueue("echo").run
            try await host.withRunner { runner in
                var leases: [ClaimRuns.Lease] = []
                var iterator = runner.claims(as: "a", ["slow", "echo"]).items.makeAsyncIterator()
                while leases.count < 3, case .lease(let lease)? = try await iterator.next() { leases.append(lease) }
                #expect(leases.count { $0.agent == "slow" } == 2 && leases.contains { $0.run == other })
                try await eventuallyQueued(3, host)
                try await runner.finish(try #require(leases.first { $0.agent == "slow" }), as: "a")
                guard case .lease(let next)? = try await iterator.next() else { throw NoLease() }
                #expect(next.agent == "slow")
            }
        }
    }

    @Test func noMoreAreBegunInATimeThanTheLimitAllows() async throws {
        try await withHost { host in
            _ = try await host.admin.perform(LimitRuns(agent: "echo", starts: 3, seconds: 3_600))
            for _ in 0..<5 { try await host.admin.enqueue() }
            let other = try await host.admin.enqueue("other").run
            try await host.withRunner { runner in
                let leases = try await runner.claim(4, as: "a", ["echo", "other"])
                #expect(leases.contains { $0.run == other })
                try await eventuallyQueued(2, host)
            }
            // The first three are lost with their runner; nothing more is begun.
            try await eventuallyQueued(6, host)
            let leases = try await host.withRunner { try await $0.claim(1, as: "b", ["echo", "other"]) }
            #expect(leases.map(\.run) == [other])
        }
    }

    @Test func noTimeOfTheLimitsLengthSeesMoreBegunThanItAllows() async throws {
        let database = try await TestDatabase.make()
        try await StorageHost.run(database: database) { host in
            _ = try await host.admin.perform(LimitRuns(agent: "echo", starts: 3, seconds: 3_600))
            for _ in 0..<7 { try await host.admin.enqueue() }
            try await host.withRunner { runner in
                var iterator = runner.claims(as: "a", ["echo", "other"]).items.makeAsyncIterator()
                for _ in 0..<3 { guard case .lease? = try await iterator.next() else { throw NoLease() } }
                // A part of the time has gone by, then all of it, then a part of it again.
                for (minutes, agents) in [(50, ["other"]), (11, ["echo", "echo", "echo"]), (50, ["other"])] {
                    try await sql(database, "update agent_start set at = at - interval '\(minutes) minutes'")
                    if agents == ["other"] { try await host.admin.enqueue("other") }
                    for agent in agents {
                        guard case .lease(let lease)? = try await iterator.next() else { throw NoLease() }
                        #expect(lease.agent == agent)
                    }
                }
            }
            try await sql(database, Transitions.forgetStarts.sql)
            let kept = try await values(database, "select sum(runs) from agent_start")
            #expect(kept == [3])
        }
    }

    @Test func aProviderThatWantsToBeLeftAloneIsAskedByNobodyUntilItsTimeIsOver() async throws {
        let database = try await TestDatabase.make()
        try await StorageHost.run(database: database) { host in
            _ = try await host.admin.perform(HoldProvider(provider: "provider of echo", milliseconds: 3_600_000))
            let held = try await host.admin.enqueue().run
            let other = try await host.admin.enqueue("other").run
            try await host.withRunner { runner in
                var iterator = runner.claims(as: "a", ["echo", "other"]).items.makeAsyncIterator()
                guard case .lease(let first)? = try await iterator.next() else { throw NoLease() }
                #expect(first.run == other)
                try await sql(database, "update provider_hold set until = clock_timestamp()")
                guard case .lease(let second)? = try await iterator.next() else { throw NoLease() }
                #expect(second.run == held)
            }
        }
    }
}
