extension PostgresConnection {
    /// Runs `body` as one transaction: commits when it returns, rolls back when it throws. It may use the results of one
    /// statement for the next; statements known beforehand are faster by `transaction(_:)`.
    ///
    /// BEGIN travels with the first statement, and a body without statements never talks to the server. `body` runs where
    /// the caller runs, not on the reactor. Transactions do not nest; `withSavepoint` does.
    ///
    /// Tasks that `body` starts and waits for may all use the connection: what they ask for while an exchange is under
    /// way goes out together in the next one. The first error fails all that comes after it, as
    /// `sqlState(.inFailedTransaction)`, until `body` throws or the savepoint around it is rolled back. Whoever gives up
    /// a statement that was sent fails the transaction in the same way.
    ///
    /// - Parameters:
    ///   - isReadOnly: Whether the server is to refuse writing.
    ///   - isDeferrable: With `serializable` and `isReadOnly`: to wait until the transaction can neither fail nor make
    ///     others fail; no effect otherwise.
    ///   - isTracked: Whether an `outcomeUnknown` carries the transaction's number, by which the outcome can be found out
    ///     later: `outcome(of:)`. Costs a statement in the first round trip.
    ///   - deadline: For all of it, `operationTimeout` from now if nil. Statements cannot outlast it; other work in `body`
    ///     must watch it itself.
    /// - Throws: What `body` throws, or a `PostgresError`: `outcomeUnknown` when the connection was lost during the
    ///   commit, `sqlState(.inFailedTransaction)` when `body` swallowed the error of a statement.
    @discardableResult
    public nonisolated func withTransaction<Value>(
        isolation: Isolation = .readCommitted,
        isReadOnly: Bool = false,
        isDeferrable: Bool = false,
        isTracked: Bool = false,
        deadline: Instant? = nil,
        _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        let begin = isolation.begin(isReadOnly: isReadOnly, isDeferrable: isDeferrable)
        try await beginTransaction(begin, isTracked: isTracked && !isReadOnly, deadline: deadline)
        do {
            let value = try await body(self)
            try await commitTransaction(isReadOnly: isReadOnly)
            return value
        } catch {
            await abandonTransaction()
            throw error
        }
    }

    /// Whether the server has a transaction block open for this connection.
    var isInOpenTransaction: Bool { handle?.isInTransaction ?? false }

    private func beginTransaction(
        _ begin: Query,
        isTracked: Bool,
        deadline: Instant?
    ) async throws(PostgresError) {
        guard !isInsideTransaction else {
            throw PostgresError(.busy, "the connection is inside a transaction; withSavepoint nests")
        }
        let limit = limit(deadline)
        // Settles what an earlier operation left behind, which must not become part of this transaction.
        try await self.begin(until: limit)
        defer { end() }
        guard handle?.isIdle == true else { throw PostgresError(.busy, "the connection is inside a transaction") }
        isInsideTransaction = true
        self.isTracked = isTracked
        transactionID = nil
        transactionDeadline = limit
        pendingBegin = begin
    }

    private func commitTransaction(isReadOnly: Bool) async throws(PostgresError) {
        // A task that `body` left behind: what it does is neither to be committed nor to be lost without a word.
        guard !isBusy, waiting.isEmpty, openSavepoints.isEmpty else {
            throw PostgresError(.busy, "a task still uses the transaction; wait for it before returning")
        }
        isCommitting = true
        if pendingBegin == nil {
            let batch = Batch(queries: [], ending: .commit, isReadOnly: isReadOnly)
            _ = try await perform(batch, until: limit(nil))
        }
        leaveTransaction()
    }

    /// Rolls back, at once when the connection is in order. When a statement was given up the caller does not wait: the
    /// next operation settles first, and so does the pool.
    private func abandonTransaction() async {
        guard isInsideTransaction else { return }
        leaveTransaction()
        needsRollback = handle?.isIdle == false || exchange != nil
        if isBusy || exchange != nil || isCancelRequestUnderWay { return }
        await settle()
    }

    private func leaveTransaction() {
        isInsideTransaction = false
        isCommitting = false
        transactionDeadline = nil
        pendingBegin = nil
        openSavepoints.removeAll()
        failFollowers(Self.transactionEnded, alsoWaiting: true)
        if !isBusy, handle != nil { end() }
    }
}
