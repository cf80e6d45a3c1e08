import Logging
import Synchronization

/// One session with Postgres.
///
/// Everything it does with libpq runs on its reactor, without blocking; the only suspension is the wait for the socket.
/// An actor lets a second caller in at each suspension, so an operation that finds another one under way is refused
/// with `busy`; a `ConnectionPool` lends each connection to one task at a time and spares its callers that. Only inside
/// `withTransaction` several tasks may use it: what they ask for while an exchange is under way goes out together in the
/// next one, in its order.
///
/// A closed connection stays closed.
public actor PostgresConnection {
    /// A point in time by which an operation is over.
    public typealias Instant = ContinuousClock.Instant

    /// What a connection can be used for now.
    public enum Condition: UInt8, Sendable {
        /// The next operation can start.
        case clean
        /// An operation was given up, or a transaction is open: it must settle first.
        case unsettled
        /// It cannot be used any more.
        case closed
    }

    /// How many notifications are kept for whoever is slow to read them; they are wake-ups, not data, so the newest
    /// are enough.
    static let notificationLimit = 256

    nonisolated let configuration: PostgresConfiguration
    nonisolated let reactor: Reactor
    nonisolated let logger: Logger?
    nonisolated let onClose: (@Sendable () -> Void)?
    private nonisolated let published = Atomic<UInt8>(Condition.closed.rawValue)

    /// What `NOTIFY` sent to this connection after a `LISTEN`; ends when the connection closes. For one reader.
    public nonisolated let notifications: AsyncStream<PostgresNotification>
    nonisolated let notified: AsyncStream<PostgresNotification>.Continuation

    /// Whether some were not kept.
    private var missesNotifications = false

    /// libpq's connection until it is closed.
    var handle: ConnectionHandle?
    /// Why it was closed.
    private(set) var closingReason = PostgresError(.closed, "the connection is not open")

    /// Statements of a transaction that wait until the connection is free.
    var waiting: [Follower] = []
    /// Those whose statements are part of the present exchange, and which part.
    var followers: [(follower: Follower, part: Range<Int>)] = []
    /// Whether one of the present exchange has given up, so that the server was asked to cancel.
    var isGivenUpByFollower = false
    /// The savepoints that are open, the innermost last.
    var openSavepoints: [Savepoint] = []

    /// Whether an operation has begun and not ended.
    private(set) var isBusy = false
    /// Counts operations, so that a cancellation which comes late does not hit the next one.
    private(set) var operation: UInt64 = 0
    /// Whether the task of the present operation was cancelled.
    var isCancelled = false
    /// A batch that was sent and whose answer has not wholly come.
    var exchange: Exchange?
    /// Whether a helper thread is asking the server to cancel. Until it is done, a statement sent could be hit.
    var isCancelRequestUnderWay = false
    /// When the server is asked once more to cancel the present exchange, and how long after the last time; nil where it was not asked.
    var nextCancelRequest: (time: Instant, pause: Duration)?
    var statements = StatementCache()
    /// What is sent before the next statement: the BEGIN of a transaction that has not needed the server yet.
    var pendingBegin: Query?
    /// Whether a `withTransaction` is under way.
    var isInsideTransaction = false
    /// Whether it takes no further statements.
    var isCommitting = false
    /// Whether the transaction's number is asked for at its beginning, and the number.
    var isTracked = false
    var transactionID: TransactionID?
    /// By when it must be over.
    var transactionDeadline: Instant?
    /// Whether a transaction was given up that the server may still have open.
    var needsRollback = false
    /// Whether the server still has prepared statements that `statements` has forgotten.
    var mustDeallocate = false

    init(
        _ configuration: PostgresConfiguration,
        reactor: Reactor,
        logger: Logger?,
        onClose: (@Sendable () -> Void)?
    ) {
        self.configuration = configuration
        self.reactor = reactor
        self.logger = logger
        self.onClose = onClose
        (notifications, notified) = AsyncStream.makeStream(
            bufferingPolicy: .bufferingNewest(Self.notificationLimit)
        )
    }

    isolated deinit {
        close(because: closingReason)
    }

    /// The reactor, so that libpq is never touched from anywhere else.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.asUnownedSerialExecutor() }

    /// What the connection can be used for; readable from any thread without waiting.
    public nonisolated var condition: Condition {
        Condition(rawValue: published.load(ordering: .acquiring)) ?? .closed
    }

    /// The process id of the backend, as in `pg_stat_activity`; nil when closed.
    public var backendID: Int32? { handle?.backendID }

    /// Closes at once. An operation under way ends with an error.
    public func close() {
        close(because: PostgresError(.closed, "the connection was closed"))
    }

    func close(because reason: PostgresError) {
        guard let handle else { return }
        closingReason = reason
        // The reactor first: once the socket is closed, whoever waits for it would never wake.
        if handle.socket >= 0 { reactor.forget(handle.socket) }
        self.handle = nil
        // The exchange stays for whoever waits for it: it tells whether the transaction may have been committed.
        openSavepoints.removeAll()
        failFollowers(reason, alsoWaiting: true)
        published.store(Condition.closed.rawValue, ordering: .releasing)
        notified.finish()
        onClose?()
    }

    // MARK: Beginning and ending an operation

    /// Reserves the connection for one operation, which must call `end`. Settles what an earlier one left behind.
    func begin(until deadline: Instant) async throws(PostgresError) {
        try checkLimits(until: deadline)
        guard reserve() else { throw Self.carriesAnother }
        do throws(PostgresError) {
            try await settleReserved(until: deadline)
        } catch {
            isBusy = false
            throw error
        }
    }

    static let carriesAnother = PostgresError(.busy, "the connection carries another operation")

    /// Throws when there is no point in sending anything.
    func checkLimits(until deadline: Instant) throws(PostgresError) {
        guard handle != nil else { throw closingReason }
        guard !Task.isCancelled else {
            throw PostgresError(.cancelled, "the task was cancelled before anything was sent")
        }
        guard deadline > .now else {
            throw PostgresError(.timedOut, "the deadline had passed before anything was sent")
        }
    }

    /// Settles what an earlier operation left behind, for one that has reserved the connection.
    func settleReserved(until deadline: Instant) async throws(PostgresError) {
        guard isUnsettled else { return }
        await finishSettling(until: min(deadline, .now + configuration.settleLimit))
        guard handle != nil else { throw closingReason }
    }

    /// Reserves the connection as it is. False when it is closed or carries an operation.
    func reserve() -> Bool {
        guard handle != nil, !isBusy else { return false }
        isBusy = true
        operation += 1
        isCancelled = false
        published.store(Condition.unsettled.rawValue, ordering: .releasing)
        return true
    }

    /// Frees the connection, and while nothing uses it has the reactor notice at once when the server ends it.
    func end() {
        isBusy = false
        guard let handle, !passTurn() else { return }
        let condition: Condition = isUnsettled || !handle.isIdle || pendingBegin != nil ? .unsettled : .clean
        published.store(condition.rawValue, ordering: .releasing)
        if !isUnsettled { watchWhileIdle(handle) }
    }

    /// Whether something of an operation that was given up is still to come.
    var isUnsettled: Bool { exchange != nil || isCancelRequestUnderWay || needsRollback }

    private func watchWhileIdle(_ handle: ConnectionHandle) {
        reactor.watch(handle.socket) { [weak self] in
            // The reactor calls this on its thread, outside any job.
            self?.assumeIsolated { $0.readWhileIdle() }
        }
    }

    /// Takes what came between two operations: notifications, changed settings, or the end of the session.
    private func readWhileIdle() {
        guard let handle, !isBusy else { return }
        let isAlive = handle.consumeInput() && !handle.isBusy && !handle.isBroken
        collectNotifications(handle)
        guard isAlive, !handle.isBroken else { return close(because: lossReason(handle)) }
        watchWhileIdle(handle)
    }

    func collectNotifications(_ handle: ConnectionHandle) {
        while let notification = handle.nextNotification() {
            if case .dropped = notified.yield(notification) { missesNotifications = true }
        }
    }

    /// Whether notifications were dropped since this was asked last.
    func takeOverflow() -> Bool {
        defer { missesNotifications = false }
        return missesNotifications
    }

    /// Why the connection is no more.
    func lossReason(_ handle: ConnectionHandle) -> PostgresError {
        guard let report = handle.fatal else {
            return PostgresError(.connectionLost, "the server closed the connection")
        }
        return PostgresError(.connectionLost, "the server ended the session: \(report.state.name)", server: report)
    }
}
