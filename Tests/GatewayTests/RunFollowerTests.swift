import Contract
import Logging
import RPC
import ServiceLifecycle
import Synchronization
import Testing
import Wire

@testable import Gateway

/// How the gateway starts a run on an agent runner.
@Suite struct RunFollowerTests {
    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    @Test func aRunThatIsStartedOnceMoreIsNotNewAnyMore() async throws {
        let path = "/tmp/octavo-follower-\(UInt32.random(in: 0 ... .max)).sock"
        let starts = Mutex<[Bool?]>([])
        var operations = Operations(service: "agent-runner", version: "test")
        operations.onStream(StartRun.self) { start, _, _ in
            let count = starts.withLock { starts in
                starts.append(start.isNew)
                return starts.count
            }
            // Whether it had begun the run nobody knows.
            if count == 1 { throw ServiceError.unavailable("Away.") }
            return Done()
        }
        let server = RPCServer(
            [RPCListener(role: .gateway, address: .path(path))],
            operations: operations,
            logger: Self.quiet
        )
        let calls = LongCalls { RPCClient(path: path, role: .gateway, name: "agent runner", logger: Self.quiet) }
        let group = ServiceGroup(services: [server] + calls.clients, logger: Self.quiet)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let question = Question(text: "How?", channel: .http)
            let start = StartRun(run: .new(), question: question, isNew: true)
            try await RunFollower(runner: calls, storage: calls).start(start, trace: TraceParent()) { _ in }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        #expect(starts.withLock { $0 } == [true, nil])
    }
}
