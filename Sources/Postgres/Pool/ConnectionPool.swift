public import Logging
public import ServiceLifecycle
import Synchronization
public import Tracing

/// Lends connections to one task at a time.
///
///     let pool = ConnectionPool(configuration, logger: logger)
///     let rows = try await pool.query("select title from book where id = \(id)")
///
/// A `Service`: connections are opened while `run` runs. Callers may come before; they wait. When Postgres is away the
/// pool knows, refuses at once instead of letting everybody wait, and comes back by itself.
public final class ConnectionPool: Service {
    typealias Machine = PoolStateMachine
    typealias Instant = ContinuousClock.Instant

    struct State {
        var machine: Machine
        var connections: [Machine.ConnectionID: PostgresConnection] = [:]
        var waiting: [Machine.WaiterID: CheckedContinuation<Result<Lease, PostgresError>, Never>] = [:]
        var nextWaiter = 0
        /// When the reactor will call; later timers are not announced to it before.
        var timer: Instant?
        var lastError: PostgresError?
    }

    /// One connection, lent.
    struct Lease: Sendable {
        let id: Machine.ConnectionID
        let connection: PostgresConnection
    }

    /// What takes time and is done by `run`.
    enum Work: Sendable {
        case open(Machine.ConnectionID)
        case settle(Machine.ConnectionID, PostgresConnection)
    }

    let configuration: PostgresConfiguration
    let limits: PoolConfiguration
    let logger: Logger
    let reactor: Reactor
    /// What keeps spans of what is done for others; nil for none.
    let tracer: (any Tracer)?
    let state: Mutex<State>
    let timerID = Reactor.newTimer()
    let reads: SharedReads?
    private let work: AsyncStream<Work>
    let enqueue: AsyncStream<Work>.Continuation

    /// A pool that does nothing until `run`.
    /// - Parameter tracer: what keeps a span of each use that is made within another; none without one.
    public init(
        _ configuration: PostgresConfiguration,
        limits: PoolConfiguration = PoolConfiguration(),
        reactor: Reactor = .shared,
        tracer: (any Tracer)? = nil,
        logger: Logger
    ) {
        self.configuration = configuration
        self.limits = limits
        self.logger = logger
        self.reactor = reactor
        self.tracer = tracer
        state = Mutex(State(machine: Machine(limits, seed: .random(in: 0 ... .max))))
        // Their connections differ from others in the settings of the session.
        let sharesReads = limits.readConnections > 0 && !configuration.isBehindPgBouncer
        reads = sharesReads ? SharedReads(configuration, limits, reactor, logger) : nil
        // Unbounded, and never longer than one entry a connection: the machine asks for one thing at a time of each.
        (work, enqueue) = AsyncStream.makeStream()
    }

    /// Opens and settles connections until the pool is told to stop. A graceful shutdown lets the lent connections come
    /// back first; cancellation breaks them off.
    public func run() async throws {
        step { state, _ in state.machine.started() }
        await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                await withDiscardingTaskGroup { group in
                    for lane in 0..<(self.reads?.lanes ?? 0) {
                        // On the reactor, where the lane's connection is: nothing of it goes through another thread.
                        group.addTask(executorPreference: self.reactor) {
                            await self.reads?.serve(lane, unless: { self.isDown })
                        }
                    }
                    for await work in self.work {
                        group.addTask { await self.perform(work) }
                    }
                }
            } onGracefulShutdown: {
                self.stop(breakingOff: false)
            }
        } onCancel: {
            self.stop(breakingOff: true)
        }
    }

    /// The pool at this moment; readable from any thread, without waiting for a connection or the reactor.
    public var status: PoolStatus {
        state.withLock { state in
            var idle = 0
            var busy = 0
            for connection in state.machine.connections.values {
                switch connection {
                case .idle: idle += 1
                case .busy, .settling: busy += 1
                case .opening, .closing: break
                }
            }
            let condition: PoolStatus.State =
                switch state.machine.availability {
                case .starting: .starting
                case .up: .up
                case .down: .down
                }
            return PoolStatus(
                state: condition,
                open: idle + busy,
                idle: idle,
                busy: busy,
                waiting: state.machine.waiters.count,
                lastError: condition == .up ? nil : state.lastError?.description
            )
        }
    }
}
