/// The changes that make up a schema, applied in order and each once.
///
/// What was applied is recorded in the table `octavo_migration`, with a checksum of the text. Processes that apply at the
/// same time take turns, migration by migration, by an advisory lock. Each migration is one transaction, so what Postgres does not allow in one,
/// `create index concurrently` for instance, does not go into a migration.
public struct Migrations: Sendable {
    /// All of them, by number.
    public let all: [Migration]

    /// The lock's number: "octavo" in ASCII.
    private static let lock: Int64 = 0x6f63_7461_766f
    /// A change of a large table may take long; waiting for ever is still wrong.
    static let longest: Duration = .seconds(600)

    /// Orders the migrations. Throws `badNumber`.
    public init(_ migrations: [Migration]) throws(MigrationError) {
        all = migrations.sorted { $0.number < $1.number }
        var last = 0
        for migration in all {
            guard migration.number > last else { throw .badNumber(migration.number) }
            last = migration.number
        }
    }

    /// What `apply` would do now, without doing it. Throws as `apply` does for an edited, unknown or misplaced one.
    public func plan(
        on connection: PostgresConnection,
        deadline: ContinuousClock.Instant? = nil
    ) async throws(MigrationError) -> [Migration] {
        try await pending(on: connection, deadline: deadline ?? .now + Self.longest).map(\.migration)
    }

    /// Applies what is missing and returns it. On an error everything before the failed migration stays applied.
    ///
    /// - Parameter deadline: When to give up, 10 minutes from now if nil. Within it no `statement_timeout` applies.
    @discardableResult
    public func apply(
        on connection: PostgresConnection,
        deadline: ContinuousClock.Instant? = nil
    ) async throws(MigrationError) -> [Migration] {
        let deadline = deadline ?? .now + Self.longest
        do {
            try await locked(connection, deadline) { connection in
                try await connection.query(
                    """
                    create table if not exists octavo_migration (
                        number integer primary key,
                        name text not null,
                        checksum text not null,
                        applied_at timestamptz not null default now()
                    )
                    """
                )
            }
        } catch {
            throw .database(error as? PostgresError ?? Self.unexpected(error))
        }
        var applied: [Migration] = []
        for change in try await pending(on: connection, deadline: deadline) {
            if try await apply(change, on: connection, deadline: deadline) { applied.append(change.migration) }
        }
        return applied
    }

    /// A transaction that holds the lock. The lock is the transaction's own: a session's would stay with a session that
    /// pgbouncer may give to somebody else.
    private func locked(
        _ connection: PostgresConnection,
        _ deadline: ContinuousClock.Instant,
        _ body: (PostgresConnection) async throws -> Void
    ) async throws {
        try await connection.withTransaction(deadline: deadline) { connection in
            try await connection.transaction([
                "set local statement_timeout = 0", "select pg_advisory_xact_lock(\(Self.lock))",
            ])
            try await body(connection)
        }
    }

    private static func unexpected(_ error: any Error) -> PostgresError {
        PostgresError(.protocolViolation, "\(type(of: error))")
    }

    /// False when another process was faster.
    private func apply(
        _ change: Known,
        on connection: PostgresConnection,
        deadline: ContinuousClock.Instant
    ) async throws(MigrationError) -> Bool {
        let migration = change.migration
        var isApplied = false
        do {
            try await locked(connection, deadline) { connection in
                let done: Query = "select from octavo_migration where number = \(migration.number)"
                guard try await connection.query(done).isEmpty else { return }
                try await connection.run(script: migration.sql, deadline: deadline)
                guard await connection.isInOpenTransaction else {
                    throw MigrationError.endedTransaction(number: migration.number, name: migration.name)
                }
                try await connection.query(
                    """
                    insert into octavo_migration (number, name, checksum)
                    values (\(migration.number), \(migration.name), \(change.checksum))
                    """
                )
                isApplied = true
            }
            return isApplied
        } catch let error as MigrationError {
            throw error
        } catch {
            throw .failed(
                number: migration.number,
                name: migration.name,
                error as? PostgresError ?? Self.unexpected(error)
            )
        }
    }
}
