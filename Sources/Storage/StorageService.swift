import Configuration
import Contract
public import Daemon
package import Logging
import NIOCore
import Postgres
package import RPC
public import ServiceLifecycle
import Systemd
import Traces
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
            .optional(
                "OCTAVO_MIGRATIONS",
                "apply them at start (the default), await them from another role, or apply them only"
            ),
            .optional("OCTAVO_DATABASE_ROLE", "with OCTAVO_MIGRATIONS=only: who may then read and write rows"),
            .optional("OCTAVO_DATABASE_CONNECTIONS", "connections to it for statements and batches (16)"),
            .optional("OCTAVO_DATABASE_TRANSACTIONS", "connections to it for transactions their callers end (8)"),
        ],
        credentials: [.optional("database-url", "the database, where its address holds a password")]
    )

    /// Writers wait for the disk most of their time, and the more commit at once the more one flush serves: with 16 twice
    /// as many a second as with 5, with 24 hardly more. Opened as they are needed.
    private static let usualConnections = 16

    /// Builds the services of the process: none where it was only to apply migrations, which is done then.
    public static func compose(_ context: DaemonContext) async throws -> [any Service] {
        context.watch { try await RPCEventLoop.shared.next().submit {}.get() }
        let listeners = try context.listeners.map { socket in
            guard let role = Role(rawValue: socket.name) else {
                throw ConfigurationError("There is no role \"\(socket.name)\".")
            }
            return RPCListener(role: role, address: .descriptor(socket.descriptor))
        }
        let url = context.config.string(forKey: "database.url", isSecret: true)
        if url == nil { context.logger.warning("no database configured: set DATABASE_URL") }
        let policy = try migrationPolicy(context.config)
        if policy == .only {
            try await Migrating(databaseURL: url, role: context.config.string(forKey: "octavo.database.role")).run(
                context
            )
            return []
        }
        return try services(
            databaseURL: url,
            policy: policy,
            connections: size("OCTAVO_DATABASE_CONNECTIONS", usually: usualConnections, context.config),
            transactions: size("OCTAVO_DATABASE_TRANSACTIONS", usually: 8, context.config),
            listeners: listeners,
            logger: context.logger,
            context: context,
            onListening: context.announce("sockets")
        )
    }

    /// The services, from what the process was given; also for tests that have storage in their own process.
    ///
    /// - Parameters:
    ///   - databaseURL: nil when no database is configured.
    ///   - policy: who brings its tables up to date.
    ///   - connections: connections to it for single statements.
    ///   - transactions: connections to it for transactions that their callers end.
    ///   - longestWait: how long single statements wait for a connection.
    ///   - context: the process, where it is one of its own.
    package static func services(
        databaseURL: String?,
        policy: MigrationPolicy = .apply,
        connections: Int = 5,
        transactions: Int = 8,
        longestWait: Duration = PoolConfiguration().maximumWait,
        listeners: [RPCListener],
        logger: Logger,
        context: DaemonContext? = nil,
        onListening: @Sendable @escaping () -> Void = {}
    ) throws(ConfigurationError) -> [any Service] {
        var limits = PoolConfiguration()
        limits.size = connections
        limits.maximumWait = longestWait
        let spans = try context?.spans(version: octavoVersion)
        let recorder = spans?.recorder
        let pool = try connectionPool(databaseURL, limits, recorder, logger)
        limits.size = transactions
        // Their callers hold connections for long, and say themselves how long others are ready to wait: until their
        // deadlines. There are never more of them than calls in flight.
        limits.maximumWait = .milliseconds(Limits.longestDeadlineMilliseconds)
        limits.maximumWaiters = Limits.standard.callsInFlightInProcess
        let transactions = try connectionPool(databaseURL, limits, recorder, logger)
        let schema = Schema(pool: pool, policy: policy, logger: logger)
        let database = Database(
            pool: pool,
            transactions: transactions,
            schema: schema,
            recorder: recorder,
            logger: logger
        )
        let signals = RunSignals()
        let leases = Leases(database: database, signals: signals, logger: logger)
        let queue = RunQueue(database: database, counts: signals.counts)
        let queued = QueuedRuns(database: database, signals: signals, queue: queue)
        let writes = RunWrites(database: database)
        let zones = Zones(database: database)
        let due = DueMessages(database: database, signals: signals)
        var operations = operations(database, signals, leases, queue, writes, queued, due)
        Schedules(database: database, signals: signals, zones: zones).add(to: &operations)
        if let context { operations.administer(context) }
        let server = RPCServer(
            listeners,
            operations: operations,
            logger: logger,
            recorder: recorder,
            onListening: onListening,
            onDisconnect: { connection, _ in leases.disconnected(connection) }
        )
        let clock = RunClock(database: database, signals: signals, queue: queue, logger: logger)
        let schedules = ScheduleClock(database: database, signals: signals, zones: zones, logger: logger)
        let bell = Bell(database: database, signals: signals, logger: logger)
        if let context, let pool {
            // Its scheduler's thread and its lock; never Postgres, which may be away for as long as it likes.
            context.watch {
                await Reactor.shared.respond()
                _ = pool.status
            }
            context.describe { server.summary("pool \(pool.status.busy)/\(connections)") }
        } else {
            context?.describe { server.summary() }
        }
        // Stopped in reverse: no more calls first, the connections to Postgres last.
        let pools: [any Service] = [pool, transactions].compactMap(\.self)
        return (spans?.services ?? []) + pools + [schema] + writes.services + [
            bell, clock, schedules, leases, queued, due, server,
        ]
    }

    private static func connectionPool(
        _ url: String?,
        _ limits: PoolConfiguration,
        _ recorder: SpanRecorder?,
        _ logger: Logger
    ) throws(ConfigurationError) -> ConnectionPool? {
        guard let url else { return nil }
        do {
            let configuration = try PostgresConfiguration(url, applicationName: "octavo-storage")
            return ConnectionPool(configuration, limits: limits, tracer: recorder, logger: logger)
        } catch {
            throw ConfigurationError("DATABASE_URL cannot be used: \(error.reason).")
        }
    }

    private static func migrationPolicy(_ config: ConfigReader) throws -> MigrationPolicy {
        let given = config.string(forKey: "octavo.migrations", default: MigrationPolicy.apply.rawValue)
        guard let policy = MigrationPolicy(rawValue: given) else {
            let known = MigrationPolicy.allCases.map(\.rawValue).joined(separator: ", ")
            throw ConfigurationError("OCTAVO_MIGRATIONS is \"\(given)\"; it has to be one of \(known).")
        }
        return policy
    }

    private static func size(_ variable: String, usually: Int, _ config: ConfigReader) throws -> Int {
        let key = ConfigKey(variable.lowercased().split(separator: "_").joined(separator: "."))
        let given = config.string(forKey: key, default: "\(usually)")
        guard let size = Int(given), (1...100).contains(size) else {
            throw ConfigurationError("\(variable) is \"\(given)\"; it has to be a number from 1 to 100.")
        }
        return size
    }

    /// The service's table.
    static func operations(
        _ database: Database,
        _ signals: RunSignals,
        _ leases: Leases,
        _ queue: RunQueue,
        _ writes: RunWrites,
        _ queued: QueuedRuns,
        _ due: DueMessages
    ) -> Operations {
        var operations = Operations(service: "storage", version: octavoVersion)
        Books(database: database).add(to: &operations)
        Sections(database: database).add(to: &operations)
        RunSteps(database: database).add(to: &operations)
        Rules(database: database).add(to: &operations)
        Transactions(database: database).add(to: &operations)
        Maintenance(database: database).add(to: &operations)
        Keys(database: database).add(to: &operations)
        var statements = Statements(database: database)
        let runs = Runs(database: database, signals: signals, leases: leases, queue: queue, writes: writes)
        runs.add(to: &operations, &statements)
        BookEditing.add(to: &operations, &statements)
        Readers.add(to: &operations, &statements)
        ReadingLists.add(to: &operations, &statements)
        statements.addBatch(to: &operations)
        Conversations(database: database, signals: signals).add(to: &operations)
        Approvals(database: database, signals: signals).add(to: &operations)
        RunNumbers(database: database, counts: signals.counts).add(to: &operations)
        Outbox(database: database, signals: signals, leases: leases).add(to: &operations)
        Webhooks(database: database, signals: signals).add(to: &operations)
        operations.health {
            let status = database.pool?.status
            let away = status.flatMap { $0.state == .down ? "the database is away" : nil }
            let reasons = [database.schema.reason, away].compactMap { $0 }
            return ServiceCondition(
                reasons: Array(reasons.prefix(1)),
                gauges: status.map {
                    [
                        "pool.open": $0.open, "pool.idle": $0.idle, "pool.busy": $0.busy, "pool.waiting": $0.waiting,
                        Health.queuedRuns: queued.count, Health.dueMessages: due.count,
                    ]
                } ?? [:]
            )
        }
        return operations
    }
}
