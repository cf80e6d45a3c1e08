import Contract
import FoundationEssentials
import Logging
import OctavoTesting
import Postgres
import RPC
import ServiceLifecycle
import Wire

@testable import Storage

/// A storage service as one host of several has it: behind its sockets for administrators and agent runners, on a database
/// that others may share.
struct StorageHost: Sendable {
    let admin: RPCClient
    private let runnerPath: String

    static func run(
        database: String,
        _ body: @Sendable @escaping (StorageHost) async throws -> Void
    ) async throws {
        let folder = "/tmp/octavo-host-\(UInt64.random(in: 0 ... .max))"
        let (admin, runner) = ("\(folder)-a.sock", "\(folder)-r.sock")
        let (listening, isListening) = AsyncStream<Void>.makeStream()
        let services = try StorageService.services(
            databaseURL: database,
            // Many tests want a processor at the same time.
            longestWait: .seconds(60),
            listeners: [
                RPCListener(role: .admin, address: .path(admin)),
                RPCListener(role: .agentRunner, address: .path(runner)),
            ],
            logger: quiet,
            onListening: { isListening.finish() }
        )
        let client = RPCClient(path: admin, role: .admin, name: "storage", logger: quiet)
        let group = ServiceGroup(services: services + [client], logger: quiet)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            for await _ in listening {}
            let result: Result<Void, any Error>
            do {
                while try await !client.perform(GetHealth()).ready { try await Task.sleep(for: .milliseconds(20)) }
                result = .success(try await body(StorageHost(admin: client, runnerPath: runner)))
            } catch {
                result = .failure(error)
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            try result.get()
        }
    }

    /// A runner's connection, which ends with `body`.
    func withRunner<Value: Sendable>(_ body: (RPCClient) async throws -> Value) async throws -> Value {
        try await RPCClient.withConnection(
            path: runnerPath,
            role: .agentRunner,
            name: "storage",
            logger: Self.quiet,
            body
        )
    }

    /// What a storage service does its work on, without the service.
    static func withDatabase(
        _ name: String,
        _ body: @Sendable @escaping (Database, Logger) async throws -> Void
    ) async throws {
        let pool = ConnectionPool(try PostgresConfiguration(name), logger: quiet)
        let schema = Schema(pool: pool, policy: .apply, logger: quiet)
        let database = Database(pool: pool, transactions: pool, schema: schema, logger: quiet)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await pool.run() }
            _ = try await schema.apply(deadline: .now + .seconds(60))
            try await body(database, quiet)
            group.cancelAll()
        }
    }

    private static let quiet = Logger(label: "storage") { _ in SwiftLogNoOpLogHandler() }
}

extension RPCClient {
    /// Accepts a run for later.
    @discardableResult
    func enqueue(
        _ agent: String = "echo",
        _ text: String = "How?",
        _ change: (inout EnqueueRun) -> Void = { _ in }
    ) async throws -> EnqueueRun.Result {
        var enqueue = EnqueueRun(run: .new(), agent: agent, question: Question(text: text, channel: .http))
        change(&enqueue)
        return try await perform(enqueue)
    }

    /// Offers a runner, and takes so many leases.
    func claim(
        _ count: Int,
        as runner: String,
        _ agents: [String] = ["echo"],
        room: Int = 100
    ) async throws -> [ClaimRuns.Lease] {
        var leases: [ClaimRuns.Lease] = []
        // One that has ended, as when an earlier offer under this name did just now, is made again: as an agent runner does.
        while leases.count < count {
            for try await item in claims(as: runner, agents, room: room).items {
                if case .lease(let lease) = item { leases.append(lease) }
                if leases.count == count { break }
            }
            try Task.checkCancellation()
        }
        return leases
    }

    /// A runner's open offer.
    func claims(as runner: String, _ agents: [String] = ["echo"], room: Int = 100) -> RPCStream<ClaimRuns> {
        let offers = agents.map { ClaimRuns.Offer(agent: $0, provider: "provider of \($0)") }
        return stream(ClaimRuns(runner: runner, offers: offers, room: room, holding: []), deadline: .seconds(600))
    }

    /// Ends a run as its runner does.
    func finish(_ lease: ClaimRuns.Lease, as runner: String, _ state: RunState = .succeeded) async throws {
        let outcome = Outcome(state: state, answer: "So.", model: "m")
        let event = RunEvent(sequence: lease.next, at: "2026-01-31T12:00:00.000Z", body: .finished(outcome))
        _ = try await perform(AppendEvents(run: lease.run, runner: runner, attempt: lease.attempt, events: [event]))
    }

    /// Where a run stands.
    func state(of run: RunID) async throws -> RunState {
        try await perform(GetRun(run: run)).state
    }
}

/// What no operation does.
func sql(_ database: String, _ statements: String) async throws {
    let connection = try await PostgresConnection.connect(PostgresConfiguration(database))
    try await connection.run(script: statements)
    await connection.close()
}

/// The first column of what a statement finds.
func values(_ database: String, _ statement: String) async throws -> [Int] {
    let connection = try await PostgresConnection.connect(PostgresConfiguration(database))
    let rows = try await connection.query(Query(unsafe: statement))
    await connection.close()
    return try rows.map { try $0[0, as: Int.self] }
}

/// Returns once something holds that another task brings about; throws when it does not within a minute, which no machine
/// is too slow for.
func eventually(_ holds: () async throws -> Bool) async throws {
    for _ in 0..<3_000 {
        if try await holds() { return }
        try await Task.sleep(for: .milliseconds(20))
    }
    throw NeverTrue()
}

/// A claim ended, or said something else, where it was to bring a run.
struct NoLease: Error {}

/// It did not come true within a minute.
struct NeverTrue: Error {}
