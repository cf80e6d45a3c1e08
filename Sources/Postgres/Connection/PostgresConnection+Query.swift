extension PostgresConnection {
    /// Runs one statement, outside `withTransaction` as a transaction of its own. One round trip; the statement is
    /// prepared at its first use on this connection. The whole result is held in memory: limit the rows in the SQL.
    ///
    /// - Parameters:
    ///   - isReadOnly: The caller's promise that the statement writes nothing. Then a lost connection is reported as
    ///     `connectionLost` and not as `outcomeUnknown`, and giving up never waits.
    ///   - deadline: When the caller wants an answer at the latest; `operationTimeout` from now if nil.
    /// - Throws: Every kind of `PostgresError` except those of the pool.
    @discardableResult
    public func query(
        _ query: Query,
        isReadOnly: Bool = false,
        deadline: Instant? = nil
    ) async throws(PostgresError) -> Rows {
        let results = try await perform(batch([query], isReadOnly: isReadOnly), until: limit(deadline))
        guard let result = results.first else {
            throw PostgresError(.protocolViolation, "the server gave no result")
        }
        return Rows(result: result)
    }

    /// Runs up to 1000 statements as one transaction in one round trip. If one fails, or a deferred constraint at the
    /// end does, none has taken effect. Inside `withTransaction` they are part of that transaction.
    ///
    /// - Parameters:
    ///   - isolation: The isolation level if the session's own will not do; costs a BEGIN and a COMMIT in the same round
    ///     trip. Ignored inside `withTransaction`.
    ///   - isReadOnly: Whether the server is to refuse writing; costs the same. Inside `withTransaction` only a promise.
    ///   - deadline: As for `query`.
    /// - Returns: The rows of each statement, in order.
    @discardableResult
    public func transaction(
        _ queries: [Query],
        isolation: Isolation? = nil,
        isReadOnly: Bool = false,
        deadline: Instant? = nil
    ) async throws(PostgresError) -> [Rows] {
        var batch = batch(queries, isReadOnly: isReadOnly)
        if isolation != nil || isReadOnly, case .sync = batch.ending {
            batch.opening = (isolation ?? .readCommitted).begin(isReadOnly: isReadOnly)
            batch.ending = .commit
        }
        do throws(PostgresError) {
            return try await perform(batch, until: limit(deadline)).map { Rows(result: $0) }
        } catch {
            // After an error between BEGIN and COMMIT the COMMIT was not run either, and the block is still open.
            if case .commit = batch.ending, error.code != .busy {
                needsRollback = true
                // A batch that was given up is rolled back when the connection settles, without its caller waiting.
                if exchange == nil { await settle() }
            }
            throw error
        }
    }

    /// Runs a text of several statements without parameters, outside `withTransaction` as one transaction unless the
    /// text says otherwise. Results are dropped. For migrations and set-up; nothing protects against what stands in it.
    public func run(script: String, deadline: Instant? = nil) async throws(PostgresError) {
        var batch = batch([], isReadOnly: false)
        if pendingBegin != nil || openSavepoints.contains(where: { !$0.isSent }) {
            // A BEGIN waits to be sent with the next statement, and a script cannot be sent together with another one.
            _ = try await perform(batch, until: limit(deadline))
        }
        batch.script = script
        _ = try await perform(batch, until: limit(deadline))
    }

    private func batch(_ queries: [Query], isReadOnly: Bool) -> Batch {
        let isInBlock = isInsideTransaction || handle?.isInTransaction == true
        return Batch(
            queries: queries,
            ending: isInBlock ? .stays : .sync,
            isReadOnly: isReadOnly
        )
    }

    /// The deadline of an operation: never later than that of the transaction around it.
    func limit(_ deadline: Instant?) -> Instant {
        let own = deadline ?? .now + configuration.operationTimeout
        return transactionDeadline.map { min($0, own) } ?? own
    }
}

/// The isolation level of a transaction (PostgreSQL manual, 13.2).
public enum Isolation: String, Sendable, Hashable, CaseIterable {
    /// Each statement sees what was committed before it began.
    case readCommitted = "read committed"
    /// Every statement sees what was committed before the first one; a conflict is a serialization failure.
    case repeatableRead = "repeatable read"
    /// As if the transactions had run one after the other, or a serialization failure.
    case serializable

    func begin(isReadOnly: Bool, isDeferrable: Bool = false) -> Query {
        Query(
            unsafe: "begin isolation level \(rawValue)"
                + (isReadOnly ? " read only" : "") + (isDeferrable ? " deferrable" : "")
        )
    }
}
