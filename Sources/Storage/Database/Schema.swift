import Logging
import Postgres
import ServiceLifecycle
import Synchronization
import Wire

/// Brings the tables up to date when the process starts, and says until then that it has not.
final class Schema: Service {
    private enum State {
        /// The first try is under way: calls wait for it, so that a question that has woken this process is answered.
        case starting
        case waiting(reason: String)
        case ready
        case refused(reason: String)
    }

    private let pool: ConnectionPool?
    private let logger: Logger
    private let state: Mutex<State>

    init(pool: ConnectionPool?, logger: Logger) {
        self.pool = pool
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
            while let pool = self.pool, !Task.isCancelled {
                do {
                    let applied = try await pool.withConnection(deadline: .now + .seconds(300)) { connection in
                        try await Migrations(.octavo).apply(on: connection)
                    }
                    for migration in applied {
                        self.logger.notice("migration applied", metadata: ["name": "\(migration.name)"])
                    }
                    self.state.withLock { $0 = .ready }
                    break
                } catch let error as MigrationError where !error.passes {
                    // A person has to look at this; trying again would change nothing.
                    self.logger.error("migrations refused", metadata: ["reason": "\(error)"])
                    self.state.withLock {
                        $0 = .refused(reason: "a migration was refused; the log of octavo-storage says which")
                    }
                    break
                } catch {
                    self.state.withLock { $0 = .waiting(reason: "the database is away") }
                    self.logger.debug("migrations wait", metadata: ["reason": "\(error)"])
                    try? await Task.sleep(for: .milliseconds(Int.random(in: 100...500)))
                }
            }
        }
        try? await gracefulShutdown()
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
