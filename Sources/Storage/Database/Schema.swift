import Logging
import Postgres
import ServiceLifecycle
import Synchronization
import Wire

/// Brings the tables up to date when the process starts, or waits for whoever may; says until then that it has not.
final class Schema: Service {
    private enum State {
        /// The first try is under way: calls wait for it, so that a question that has woken this process is answered.
        case starting
        case waiting(reason: String)
        case ready
        case refused(reason: String)
    }

    /// Between two looks for what another process applies.
    private static let lookPause = Duration.seconds(1)

    private let pool: ConnectionPool?
    private let awaitsOthers: Bool
    private let logger: Logger
    private let state: Mutex<State>

    init(pool: ConnectionPool?, policy: MigrationPolicy, logger: Logger) {
        self.pool = pool
        self.awaitsOthers = policy == .await
        self.logger = logger
        state = Mutex(pool == nil ? .waiting(reason: "no database configured") : .starting)
    }

    /// Why the tables cannot be used; nil when they can.
    var reason: String? {
        switch state.withLock({ $0 }) {
        case .ready: nil
        case .starting: "the database was not reached yet"
        case .waiting(let reason), .refused(let reason): reason
        }
    }

    /// Returns when the tables may be used. Errors: `unavailable`, at once when the last try has failed.
    func ready(deadline: ContinuousClock.Instant) async throws(ServiceError) {
        while case .starting = state.withLock({ $0 }), ContinuousClock.now < deadline {
            // Connecting takes some milliseconds, once in the life of the process.
            do { try await Task.sleep(for: .milliseconds(2)) } catch { throw .cancelled() }
        }
        switch state.withLock({ $0 }) {
        case .ready: return
        case .starting: throw .unavailable("The database was not reached yet.")
        case .waiting(let reason): throw .unavailable("Storage is not ready: \(reason).", afterMilliseconds: 250)
        case .refused(let reason): throw ServiceError(.unavailable, "Storage cannot work: \(reason).", retry: .no)
        }
    }

    /// Applies what is missing. Postgres may be away for an hour: it is tried again until it is there.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            while self.pool != nil, !Task.isCancelled {
                do {
                    guard self.awaitsOthers else {
                        _ = try await self.apply(deadline: .now + .seconds(600))
                        break
                    }
                    if try await self.look() { break }
                    try await Task.sleep(for: Self.lookPause)
                } catch let error as MigrationError where !error.passes && !self.awaitsOthers {
                    // A person has to look at this; trying again by itself would change nothing.
                    break
                } catch {
                    self.logger.debug("migrations wait", metadata: ["reason": "\(error)"])
                    try? await Task.sleep(for: .milliseconds(Int.random(in: 100...500)))
                }
            }
        }
        try? await gracefulShutdown()
    }

    /// Applies what is missing now; the tables can be used from then on. Throws `failed_precondition` where that is for
    /// another role.
    func apply(deadline: ContinuousClock.Instant) async throws -> [Migration] {
        guard !awaitsOthers else {
            throw ServiceError.failedPrecondition(
                "This storage may not change tables. Start who may: systemctl start octavo-migrate.service"
            )
        }
        do {
            let applied = try await withConnection(deadline) { connection in
                try await Migrations(.octavo).apply(on: connection, deadline: deadline)
            }
            for migration in applied { logger.notice("migration applied", metadata: ["name": "\(migration.name)"]) }
            state.withLock { $0 = .ready }
            return applied
        } catch {
            failed(error)
            throw error
        }
    }

    /// Whether the tables are as this process needs them; says what is missing.
    private func look() async throws -> Bool {
        let migrations: [Migration]
        do {
            migrations = try await withConnection(.now + .seconds(60)) { connection in
                try await Migrations(.octavo).plan(on: connection)
            }
        } catch {
            failed(error)
            throw error
        }
        guard let first = migrations.first else {
            state.withLock { $0 = .ready }
            return true
        }
        wait("migration \(first.number) (\(first.name)) is missing: systemctl start octavo-migrate.service")
        return false
    }

    /// How each migration stands; nothing is changed.
    func standings(deadline: ContinuousClock.Instant) async throws -> [MigrationStanding] {
        try await withConnection(deadline) { connection in
            try await Migrations(.octavo).standings(on: connection, deadline: deadline)
        }
    }

    private func withConnection<Value: Sendable>(
        _ deadline: ContinuousClock.Instant,
        _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        guard let pool else { throw ServiceError.unavailable("No database is configured.", retry: .no) }
        return try await pool.withConnection(deadline: deadline, body)
    }

    private func wait(_ reason: String) {
        let isNew = state.withLock { state in
            if case .waiting(reason) = state { return false }
            state = .waiting(reason: reason)
            return true
        }
        if isNew { logger.warning("tables are awaited", metadata: ["reason": "\(reason)"]) }
    }

    private func failed(_ error: any Error) {
        var reason = "the database is away"
        var isRefused = false
        if let error = error as? MigrationError, !error.passes {
            logger.error("migrations refused", metadata: ["reason": "\(error)"])
            reason =
                if case .database = error {
                    "the database does not let this role see which migrations are applied"
                } else {
                    "a migration was refused; the log of octavo-storage says which"
                }
            isRefused = true
        }
        state.withLock { state in
            // Tables that were there still are, whatever was asked for since.
            if case .ready = state { return }
            state = isRefused ? .refused(reason: reason) : .waiting(reason: reason)
        }
    }
}

extension MigrationError {
    /// Whether the database was merely away.
    fileprivate var passes: Bool {
        switch self {
        case .database(let error), .failed(_, _, let error): error.isUnavailable || error.code == .timedOut
        default: false
        }
    }
}
