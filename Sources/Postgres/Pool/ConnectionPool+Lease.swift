import Synchronization

extension ConnectionPool {
    /// Lends a connection to `body`, and to nobody else meanwhile. What `body` leaves open is rolled back.
    ///
    /// Never hold a connection while waiting for a peer, a person or a model: the pool has a handful.
    ///
    /// - Parameter deadline: When the wait for a connection ends, if not by the pool's own limit before. What `body` does
    ///   has deadlines of its own.
    /// - Throws: `unavailable` when Postgres is away, `exhausted` when too many wait or nothing was returned in time,
    ///   `timedOut`, `cancelled`, `closed`; and what `body` throws.
    @discardableResult
    public func withConnection<Value>(
        deadline: ContinuousClock.Instant? = nil,
        _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        let lease = try await lease(until: deadline)
        defer { giveBack(lease) }
        return try await body(lease.connection)
    }

    /// Runs one statement; see `PostgresConnection.query`. The deadline includes the wait for a connection.
    @discardableResult
    public func query(
        _ query: Query,
        isReadOnly: Bool = false,
        deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) -> Rows {
        let deadline = deadline ?? .now + configuration.operationTimeout
        return try await spanned(query.operation) { () throws(PostgresError) in
            try await onReactor(until: deadline) { connection throws(PostgresError) in
                try await connection.query(query, isReadOnly: isReadOnly, deadline: deadline)
            }
        }
    }

    /// Runs statements known beforehand as one transaction; see `PostgresConnection.transaction`. The deadline includes
    /// the wait for a connection.
    @discardableResult
    public func transaction(
        _ queries: [Query],
        isolation: Isolation? = nil,
        isReadOnly: Bool = false,
        deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) -> [Rows] {
        let deadline = deadline ?? .now + configuration.operationTimeout
        return try await spanned(queries.operation, statements: queries.count) { () throws(PostgresError) in
            try await onReactor(until: deadline) { connection throws(PostgresError) in
                try await connection.transaction(
                    queries,
                    isolation: isolation,
                    isReadOnly: isReadOnly,
                    deadline: deadline
                )
            }
        }
    }

    /// Waits for a connection and uses it on the reactor's thread: a connection that comes back is at work for the next
    /// caller in the same turn, and does not stand idle while that caller's thread wakes up.
    private func onReactor<Value: Sendable>(
        until deadline: Instant,
        _ body: sending (PostgresConnection) async throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        try await withTaskExecutorPreference(reactor) { () throws(PostgresError) in
            let lease = try await lease(until: deadline)
            defer { giveBack(lease) }
            return try await body(lease.connection)
        }
    }

    /// Runs `body` as one transaction; see `PostgresConnection.withTransaction`. The deadline includes the wait for a
    /// connection.
    ///
    /// With `isTracked` a lost acknowledgement of the commit is resolved, on another connection and until the deadline:
    /// if the transaction was committed this returns, and if not it throws `connectionLost`. Only what cannot be found
    /// out by then is `outcomeUnknown`.
    @discardableResult
    public func withTransaction<Value>(
        isolation: Isolation = .readCommitted,
        isReadOnly: Bool = false,
        isDeferrable: Bool = false,
        isTracked: Bool = false,
        deadline: ContinuousClock.Instant? = nil,
        _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        let deadline = deadline ?? .now + configuration.operationTimeout
        return try await spannedTransaction {
            try await openTransaction(isolation, isReadOnly, isDeferrable, isTracked, deadline, body)
        }
    }

    private func openTransaction<Value>(
        _ isolation: Isolation,
        _ isReadOnly: Bool,
        _ isDeferrable: Bool,
        _ isTracked: Bool,
        _ deadline: ContinuousClock.Instant,
        _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        var result: Value?
        do {
            return try await withConnection(deadline: deadline) { connection in
                try await connection.withTransaction(
                    isolation: isolation,
                    isReadOnly: isReadOnly,
                    isDeferrable: isDeferrable,
                    isTracked: isTracked,
                    deadline: deadline
                ) { connection in
                    let value = try await body(connection)
                    result = value
                    return value
                }
            }
        } catch let error as PostgresError where error.code == .outcomeUnknown {
            guard let transaction = error.transaction, let result else { throw error }
            switch await outcome(of: transaction, deadline: deadline) {
            case .committed: return result
            case .rolledBack:
                throw PostgresError(.connectionLost, "the connection was lost before the commit", server: error.server)
            case nil: throw error
            }
        }
    }

    // MARK: Leasing

    private func lease(until deadline: Instant?) async throws(PostgresError) -> Lease {
        while true {
            let lease = try await wait(until: deadline)
            // The server may have ended it between two lines of this code; then the next one, if time allows.
            guard lease.connection.condition == .closed else { return lease }
            giveBack(lease)
        }
    }

    private func wait(until deadline: Instant?) async throws(PostgresError) -> Lease {
        let now = Instant.now
        if let deadline, deadline <= now { throw error(for: .timedOut) }
        let limit = now + limits.maximumWait
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        let waiter = Machine.Waiter(
            id: id,
            deadline: min(deadline ?? limit, limit),
            isOwn: deadline.map { $0 < limit } ?? false
        )
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Result<Lease, PostgresError>, Never>) in
                step { state, now in
                    // The handler below may have run already, and found nobody waiting.
                    guard !Task.isCancelled else {
                        continuation.resume(returning: .failure(Self.cancelled))
                        return []
                    }
                    state.waiting[id] = continuation
                    return state.machine.lease(waiter, now: now)
                }
            }
        } onCancel: {
            cancel(id)
        }
        return try result.get()
    }

    private func cancel(_ id: Machine.WaiterID) {
        let continuation = state.withLock { state in
            state.machine.cancel(id) ? state.waiting.removeValue(forKey: id) : nil
        }
        continuation?.resume(returning: .failure(Self.cancelled))
    }

    private func giveBack(_ lease: Lease) {
        let condition = lease.connection.condition
        step { state, now in
            if condition == .closed { state.connections[lease.id] = nil }
            return state.machine.giveBack(lease.id, condition, now: now)
        }
    }

    private static let cancelled = PostgresError(.cancelled, "the task was cancelled while it waited for a connection")

    func error(for refusal: Machine.Refusal, because last: PostgresError? = nil) -> PostgresError {
        switch refusal {
        case .unavailable: PostgresError(.unavailable, last?.reason ?? "no connection was opened in time")
        case .exhausted: PostgresError(.exhausted, "every connection is lent, and too many wait or waited too long")
        case .timedOut: PostgresError(.timedOut, "the deadline passed before a connection became free")
        case .closed: PostgresError(.closed, "the pool was stopped")
        }
    }
}
