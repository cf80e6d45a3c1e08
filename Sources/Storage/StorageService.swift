import Configuration
import Contract
public import Daemon
import Logging
import NIOCore
import Postgres
import RPC
public import ServiceLifecycle
import Systemd
import Wire

/// Storage: every Postgres transaction there is. It reaches no network.
public enum StorageService {
    /// What the process takes, for `--help`.
    public static let description = DaemonDescription(
        name: "octavo-storage",
        version: octavoVersion,
        summary: "keeps books, questions and runs in Postgres; reaches no network.",
        sockets: [
            .optional("gateway", "reading, from the gateway"),
            .optional("agent-runner", "runs and reading, from the agent runner"),
            .optional("admin", "health, and bringing documentation in"),
        ],
        variables: [
            .optional("DATABASE_URL", "the database, as postgresql:///octavo?host=/run/postgresql"),
            .optional("OCTAVO_DATABASE_CONNECTIONS", "connections to it (5)"),
        ]
    )

    /// Builds the services of the process.
    public static func compose(_ context: DaemonContext) throws -> [any Service] {
        context.watch { try await RPCEventLoop.shared.next().submit {}.get() }
        let pool = try connectionPool(context)
        let schema = Schema(pool: pool, logger: context.logger)
        let database = Database(pool: pool, schema: schema, logger: context.logger)
        let signals = RunSignals()
        let leases = Leases(database: database, signals: signals, logger: context.logger)
        let listeners = try context.listeners.map { socket in
            guard let role = Role(rawValue: socket.name) else {
                throw ConfigurationError("There is no role \"\(socket.name)\".")
            }
            return RPCListener(role: role, address: .descriptor(socket.descriptor))
        }
        let server = RPCServer(
            listeners,
            operations: operations(database, signals, leases),
            logger: context.logger,
            onListening: context.announce("sockets"),
            onDisconnect: { connection, _ in leases.disconnected(connection) }
        )
        // Stopped in reverse: no more calls first, the connections to Postgres last.
        return (pool.map { [$0] } ?? []) + [schema, leases, server]
    }

    private static func connectionPool(_ context: DaemonContext) throws -> ConnectionPool? {
        guard let url = context.config.string(forKey: "database.url", isSecret: true) else {
            context.logger.warning("no database configured: set DATABASE_URL")
            return nil
        }
        let given = context.config.string(forKey: "octavo.database.connections", default: "5")
        guard let size = Int(given), (1...100).contains(size) else {
            throw ConfigurationError(
                "OCTAVO_DATABASE_CONNECTIONS is \"\(given)\"; it has to be a number from 1 to 100."
            )
        }
        do {
            let configuration = try PostgresConfiguration(url, applicationName: "octavo-storage")
            var limits = PoolConfiguration()
            limits.size = size
            return ConnectionPool(configuration, limits: limits, logger: context.logger)
        } catch {
            throw ConfigurationError("DATABASE_URL cannot be used: \(error.reason).")
        }
    }

    /// The service's table.
    static func operations(_ database: Database, _ signals: RunSignals, _ leases: Leases) -> Operations {
        var operations = Operations(service: "storage", version: octavoVersion)
        Books(database: database).add(to: &operations)
        Sections(database: database).add(to: &operations)
        Runs(database: database, signals: signals, leases: leases).add(to: &operations)
        operations.health {
            let status = database.pool?.status
            let away = status.flatMap { $0.state == .down ? "the database is away" : nil }
            let reasons = [database.schema.reason, away].compactMap { $0 }
            return (
                ready: reasons.isEmpty,
                reasons: Array(reasons.prefix(1)),
                gauges: status.map {
                    ["pool.open": $0.open, "pool.idle": $0.idle, "pool.busy": $0.busy, "pool.waiting": $0.waiting]
                } ?? [:]
            )
        }
        return operations
    }
}
