import Daemon
import Logging
import Postgres
import Systemd

/// Brings the tables up to date as the role that owns them, and lets another role read and write their rows.
///
/// So the process that answers callers needs no role that could change or drop a table.
struct Migrating: Sendable {
    /// Postgres may be just starting, as after a reboot or its own upgrade.
    private static let patience = Duration.seconds(30)
    private static let pause = Duration.milliseconds(250)

    let databaseURL: String?
    /// Who may read and write rows; nil for nobody else.
    let role: String?

    func run(_ context: DaemonContext) async throws {
        guard let databaseURL else { throw ConfigurationError("There is no database to migrate: set DATABASE_URL.") }
        let configuration: PostgresConfiguration
        do {
            configuration = try PostgresConfiguration(databaseURL, applicationName: "octavo-migrate")
        } catch {
            throw ConfigurationError("DATABASE_URL cannot be used: \(error.reason).")
        }
        let connection = try await Self.connect(configuration, context)
        let applied = try await Self.migrate(connection, for: role)
        await connection.close()
        for migration in applied {
            context.logger.notice("migration applied", metadata: ["name": "\(migration.name)"])
        }
        context.logger.notice("tables are up to date", metadata: ["applied": "\(applied.count)"])
    }

    private static func connect(
        _ configuration: PostgresConfiguration,
        _ context: DaemonContext
    ) async throws -> PostgresConnection {
        let end = ContinuousClock.now + patience
        while true {
            do {
                return try await PostgresConnection.connect(configuration)
            } catch {
                guard error.isUnavailable, ContinuousClock.now < end else { throw error }
                context.notifier.status("waiting for Postgres")
                try await Task.sleep(for: pause)
            }
        }
    }

    /// What was applied. Rights on tables to come are given first: a table has them from its first moment, so that whoever
    /// waits for the last migration may use all tables at once.
    static func migrate(_ connection: PostgresConnection, for role: String?) async throws -> [Migration] {
        if let role { try await script(rightsToCome, connection, role) }
        let applied = try await Migrations(.octavo).apply(on: connection)
        if let role { try await script(rights, connection, role) }
        return applied
    }

    private static let rightsToCome = """
        alter default privileges in schema public grant select, insert, update, delete on tables to %1$I;
        alter default privileges in schema public grant usage, select on sequences to %1$I
        """

    /// Rows, and no tables; what was applied is for the owner alone to write down.
    private static let rights = """
        grant usage on schema public to %1$I;
        grant select, insert, update, delete on all tables in schema public to %1$I;
        grant usage, select on all sequences in schema public to %1$I;
        revoke insert, update, delete on octavo_migration from %1$I
        """

    /// Postgres quotes the role's name.
    private static func script(_ text: String, _ connection: PostgresConnection, _ role: String) async throws {
        let quoted = try await connection.query("select format(\(text), \(role))")
        try await connection.run(script: try quoted[0][0, as: String.self])
    }
}
