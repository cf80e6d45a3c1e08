import Contract
import OctavoTesting
import RPC
import Synchronization
import Testing
import Wire

@testable import Storage

/// Several storage services on one Postgres, which know nothing of one another.
@Suite(.serialized) struct SeveralHostsTests {
    private func withHosts(
        _ body: @Sendable @escaping (StorageHost, StorageHost) async throws -> Void
    ) async throws {
        let database = try await TestDatabase.make()
        try await StorageHost.run(database: database) { one in
            try await StorageHost.run(database: database) { two in try await body(one, two) }
        }
    }

    @Test func aRunAcceptedHereIsGivenOutThere() async throws {
        try await withHosts { one, two in
            try await two.withRunner { runner in
                var iterator = runner.claims(as: "b").items.makeAsyncIterator()
                for _ in 0..<3 {
                    let run = try await one.admin.enqueue().run
                    guard case .lease(let lease)? = try await iterator.next() else { throw NoLease() }
                    #expect(lease.run == run)
                }
            }
        }
    }

    @Test func aRunIsFollowedAndCancelledFromAnotherHost() async throws {
        try await withHosts { one, two in
            let run = try await one.admin.enqueue().run
            try await two.withRunner { runner in
                var iterator = runner.claims(as: "b").items.makeAsyncIterator()
                guard case .lease(let lease)? = try await iterator.next() else { throw NoLease() }
                async let followed = one.admin.stream(FollowRun(run: run), deadline: .seconds(60)).items
                    .reduce(into: [RunEvent]()) { $0.append($1) }
                let event = RunEvent(sequence: 1, at: "2026-01-31T12:00:00.000Z", body: .text("So"))
                _ = try await runner.perform(
                    AppendEvents(run: run, runner: "b", attempt: lease.attempt, events: [event])
                )
                _ = try await one.admin.perform(CancelRun(run: run))
                let told = try await iterator.next()
                #expect(told == .stop(.init(run: run, attempt: 1)))
                let events = try await followed
                #expect(events.map(\.sequence) == [1, 2] && events.last?.type == "finished")
            }
        }
    }

    @Test func howeverManyAreStoppedAtOnceTheirRunnerElsewhereIsTold() async throws {
        try await withHosts { one, two in
            let parent = try await one.admin.enqueue("parent").run
            for _ in 0..<60 { try await one.admin.enqueue { $0.parent = parent } }
            try await two.withRunner { runner in
                let stream = runner.claims(as: String(repeating: "b", count: 100), ["parent", "echo"])
                var iterator = stream.items.makeAsyncIterator()
                for _ in 0...60 { guard case .lease? = try await iterator.next() else { throw NoLease() } }
                _ = try await one.admin.perform(CancelRun(run: parent))
                var stopped: Set<RunID> = []
                while stopped.count <= 60, case .stop(let stop)? = try await iterator.next() {
                    stopped.insert(stop.run)
                }
                #expect(stopped.count == 61)
            }
        }
    }

    @Test func everyRunIsGivenOutOnceHoweverManyClaim() async throws {
        try await withHosts { one, two in
            let taken = Taken()
            try await withThrowingDiscardingTaskGroup { group in
                for (number, host) in [one, two, one, two].enumerated() {
                    group.addTask { try await Self.carryOut(on: host, as: "runner-\(number)", taken) }
                }
                for host in [one, two] {
                    group.addTask { for _ in 0..<150 { try await host.admin.enqueue() } }
                }
                while taken.counts.withLock({ $0.count }) < 300 { try await Task.sleep(for: .milliseconds(20)) }
                group.cancelAll()
            }
            #expect(taken.counts.withLock { $0.values.allSatisfy { $0 == 1 } })
        }
    }

    private final class Taken: Sendable {
        let counts = Mutex<[RunID: Int]>([:])
    }

    /// Takes runs and ends them until it is cancelled.
    private static func carryOut(on host: StorageHost, as name: String, _ taken: Taken) async throws {
        do {
            try await host.withRunner { runner in
                for try await case .lease(let lease) in runner.claims(as: name).items {
                    try await runner.finish(lease, as: name)
                    taken.counts.withLock { $0[lease.run, default: 0] += 1 }
                }
            }
        } catch let error as ServiceError where error.code == .cancelled {}
    }
}
