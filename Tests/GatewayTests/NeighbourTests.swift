import Contract
import FoundationEssentials
import Logging
import RPC
import ServiceLifecycle
import Synchronization
import Testing
import Wire

@testable import Gateway

/// What the gateway knows of the services it needs.
@Suite(.serialized) struct NeighbourTests {
    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private final class GaugeBox: Sendable {
        private let gauges = Mutex<[String: Int]>([:])
        var all: [String: Int] { gauges.withLock { $0 } }
        func set(_ name: String, _ value: Int) { gauges.withLock { $0[name] = value } }
    }

    /// A service that answers `health` with these gauges.
    private func server(_ name: String, _ path: String, _ gauges: GaugeBox = GaugeBox()) -> RPCServer {
        var operations = Operations(service: name, version: "0")
        operations.health { ServiceCondition(gauges: gauges.all) }
        return RPCServer(
            [RPCListener(role: .gateway, address: .path(path))],
            operations: operations,
            logger: Self.quiet
        )
    }

    /// Runs services until `body` returns.
    private func running(_ services: [any Service], _ body: () async throws -> Void) async throws {
        let group = ServiceGroup(services: services, logger: Self.quiet)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let result: Result<Void, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            try result.get()
        }
    }

    private func eventually(_ holds: () -> Bool) async throws {
        for _ in 0..<60_000 {
            if holds() { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record("it did not come about")
    }

    @Test func aServiceThatSleepsIsReadyAndWokenWhenRunsWait() async throws {
        let folder = "/tmp/octavo-neighbours-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let paths = (storage: "\(folder)/storage.sock", runner: "\(folder)/runner.sock")
        let gauges = GaugeBox()
        let clients = [("storage", paths.storage), ("agent runner", paths.runner)].map { name, path in
            (name: name, client: RPCClient(path: path, role: .gateway, name: name, logger: Self.quiet))
        }
        let neighbours = Neighbours(clients)
        let runner = clients[1].client
        let others: [any Service] = [server("storage", paths.storage, gauges)] + clients.map(\.client) + [neighbours]
        try await running(others) {
            let first = server("agent-runner", paths.runner)
            try await running([first]) {
                try await eventually { neighbours.reasons.isEmpty && runner.presence == .connected }
                first.leaveForWantOfWork()
            }
            try await eventually { runner.presence == .asleep && neighbours.reasons.isEmpty }

            // The next one, as systemd's socket would start it: nobody comes until there is work.
            let second = server("agent-runner", paths.runner)
            try await running([second]) {
                try await Task.sleep(for: .milliseconds(600))
                #expect(runner.presence == .asleep && second.stats.connections.isEmpty)
                gauges.set(Health.queuedRuns, 1)
                try await eventually { runner.presence == .connected && second.stats.connections == ["gateway": 1] }
            }
            // It stopped for another reason, and is missed.
            try await eventually { neighbours.reasons.contains { $0.contains("agent runner") } }
        }
    }
}
