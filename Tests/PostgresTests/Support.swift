import Logging
import PrivateCluster
import Synchronization
import Testing

@testable import Postgres

private let databases = Atomic<Int>(0)

/// A database of the test's own in the cluster that all tests share.
func newDatabase(in cluster: PrivateCluster? = nil) async throws -> PostgresConfiguration {
    var home = cluster
    if home == nil { home = try await PrivateCluster.shared() }
    let cluster = try #require(home)
    let name = "test_\(databases.add(1, ordering: .relaxed).newValue)"
    try await cluster.createDatabase(name)
    return try patient(PostgresConfiguration(cluster.connectionString(database: name)))
}

/// Limits that a machine busy with other tests does not reach.
func patient(_ configuration: PostgresConfiguration) -> PostgresConfiguration {
    var configuration = configuration
    configuration.connectTimeout = .seconds(60)
    configuration.grace = .seconds(60)
    configuration.settleLimit = .seconds(60)
    configuration.operationTimeout = .seconds(240)
    configuration.settings["statement_timeout"] = "240s"
    configuration.settings["idle_in_transaction_session_timeout"] = "240s"
    return configuration
}

/// A connection to a database of the test's own.
func newConnection() async throws -> PostgresConnection {
    try await PostgresConnection.connect(newDatabase())
}

/// Waits for something that happens elsewhere. A minute is no expectation, only the end of patience.
func eventually(
    _ what: Comment,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + .seconds(60)
    while try await !condition() {
        guard .now < end else {
            Issue.record(what, sourceLocation: sourceLocation)
            return
        }
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// Whether one session of the connection's database waits for a lock. Other databases belong to other tests.
func isLockAwaited(_ connection: PostgresConnection) async throws -> Bool {
    try await connection.query(
        """
        select from pg_locks join pg_database on pg_database.oid = database
        where datname = current_database() and not granted
        """
    ).count == 1
}

/// The code of the error that `body` must throw.
func code<Value>(
    sourceLocation: SourceLocation = #_sourceLocation,
    of body: () async throws -> Value
) async -> PostgresError.Code? {
    do {
        _ = try await body()
        Issue.record("nothing was thrown", sourceLocation: sourceLocation)
    } catch let error as PostgresError {
        return error.code
    } catch {
        Issue.record(error, sourceLocation: sourceLocation)
    }
    return nil
}

/// A logger that drops everything.
let silence = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

/// On a busy machine a connection may take long to open.
let patient: PoolConfiguration = {
    var limits = PoolConfiguration()
    limits.maximumWait = .seconds(60)
    return limits
}()

/// Runs `body` with a pool that is ended afterwards.
func withPool<Value: Sendable>(
    _ configuration: PostgresConfiguration,
    limits: PoolConfiguration = patient,
    _ body: @Sendable @escaping (ConnectionPool) async throws -> Value
) async throws -> Value {
    let pool = ConnectionPool(configuration, limits: limits, logger: silence)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await pool.run() }
        defer { group.cancelAll() }
        return try await body(pool)
    }
}

/// A value that several tasks of a test share. (A local `Mutex` cannot be captured by more than one.)
final class Shared<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    init(_ value: Value) {
        self.value = Mutex(value)
    }

    func withLock<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
        value.withLock { value in body(&value) }
    }
}
