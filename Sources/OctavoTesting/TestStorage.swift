internal import Contract
internal import Logging
internal import Postgres
internal import PrivateCluster
public import RPC
internal import ServiceLifecycle
internal import Storage
internal import Synchronization

/// The real storage service on a real Postgres, for tests: in this process, behind its socket.
///
/// One private cluster a test run, and a database for whoever asks, cloned from a template that has Octavo's tables.
public struct TestStorage: Sendable {
    /// Calls it as an administrator.
    public let client: RPCClient
    /// Its database, as libpq takes it.
    public let connectionString: String

    /// The storage of this test: the shared one, inside the transaction that the test is rolled back with, or that of the
    /// innermost `run`.
    /// - Throws: where the test has neither.
    public static var client: RPCClient {
        get throws {
            guard let current else { throw NoTestStorage() }
            return current
        }
    }

    @TaskLocal private static var current: RPCClient?

    /// Runs a test in a transaction of its own on the shared storage, and rolls it back: nothing is left to be removed,
    /// and tests run at the same time without seeing one another. The trait `.rolledBack` does it for Swift Testing.
    ///
    /// All that the test, and the tasks it begins, ask of `client` is part of the transaction, one call after the other.
    /// `atomic`, `batch`, `afterCommit` and idempotency keys work as ever, and a call that fails is undone alone. Streams
    /// are refused; isolation levels and read-only transactions are not told apart. A test may wait a minute between two
    /// calls, and take ten minutes in all.
    public static func rolledBack<Value>(_ body: () async throws -> Value) async throws -> Value {
        try await shared.rolledBack(body)
    }

    /// As above, on a storage of the test's own.
    public func rolledBack<Value>(_ body: () async throws -> Value) async throws -> Value {
        try await client.rolledBack { try await Self.$current.withValue(client) { try await body() } }
    }

    /// The one that all tests share that roll back what they do. It starts with the first of them, and ends with the
    /// process.
    public static var shared: TestStorage {
        get async throws { try await sharing.value }
    }

    // Belongs to the process and not to whichever test asks first.
    private static let sharing = Task.detached {
        let (ready, isReady) = AsyncThrowingStream<TestStorage, any Error>.makeStream()
        Task {
            do {
                try await run { storage in
                    isReady.yield(storage)
                    try await Task.sleep(for: .seconds(1_000_000))
                }
            } catch {
                isReady.finish(throwing: error)
            }
        }
        for try await storage in ready { return storage }
        throw CancellationError()
    }

    /// Runs one of a test's own for as long as `body` takes, on a database of its own.
    /// - Parameters:
    ///   - database: how Postgres is reached; a new database of its own unless that is given.
    ///   - connections: connections to Postgres for single statements.
    ///   - transactions: connections to Postgres for transactions.
    public static func run<Value: Sendable>(
        database: String? = nil,
        connections: Int = 5,
        transactions: Int = 16,
        _ body: @Sendable @escaping (TestStorage) async throws -> Value
    ) async throws -> Value {
        // Tests that want the same row wait for one another, on a busy machine for longer than a statement usually may.
        let patience = " options='-c statement_timeout=10min'"
        let made = if let database { database } else { try await TestDatabase.make() + patience }
        let path = try await TestDatabase.socketPath()
        let (listening, isListening) = AsyncStream<Void>.makeStream()
        let services = try StorageService.services(
            databaseURL: made,
            connections: connections,
            transactions: transactions,
            // Many tests want a processor at the same time.
            longestWait: .seconds(60),
            listeners: [RPCListener(role: .admin, address: .path(path))],
            logger: quiet,
            onListening: { isListening.finish() }
        )
        let client = RPCClient(path: path, role: .admin, name: "storage", logger: quiet)
        let group = ServiceGroup(services: services + [client], logger: quiet)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            for await _ in listening {}
            let result: Result<Value, any Error>
            do {
                // On a busy machine the first attempt to connect may fail, and until the next one every call with it.
                while try await !client.perform(GetHealth()).ready { try await Task.sleep(for: .milliseconds(20)) }
                let storage = TestStorage(client: client, connectionString: made)
                result = .success(try await $current.withValue(client) { try await body(storage) })
            } catch {
                result = .failure(error)
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return try result.get()
        }
    }

    private static let quiet = Logger(label: "storage") { _ in SwiftLogNoOpLogHandler() }
}

/// There is no storage to use.
struct NoTestStorage: Error, CustomStringConvertible {
    let description = "This test has no storage: give it or its suite the trait .rolledBack, or call TestStorage.run."
}

/// Databases for tests, on the cluster of the test run.
public enum TestDatabase {
    private static let template = "octavo_template"
    private static let count = Atomic(0)

    // Belongs to the process and not to whichever test asks first.
    private static let cluster = Task.detached {
        let cluster = try await PrivateCluster.shared()
        try await cluster.createDatabase(template)
        var configuration = try PostgresConfiguration(cluster.connectionString(database: template))
        // Hundreds of tests begin at this moment: between two statements this process may be busy for longer than that.
        configuration.settings["idle_in_transaction_session_timeout"] = "0"
        let connection = try await PostgresConnection.connect(configuration)
        try await Migrations(.octavo).apply(on: connection)
        await connection.close()
        return cluster
    }

    /// A new database with Octavo's tables, as libpq takes it.
    public static func make() async throws -> String {
        let cluster = try await cluster.value
        let name = "octavo_\(count.add(1, ordering: .relaxed).newValue)"
        try await cluster.createDatabase(name, template: template)
        return cluster.connectionString(database: name)
    }

    /// A path for one more socket, which is removed with the cluster however the process ends.
    static func socketPath() async throws -> String {
        try await cluster.value.directory + "/storage-\(count.add(1, ordering: .relaxed).newValue).sock"
    }
}
