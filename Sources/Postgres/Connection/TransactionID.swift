/// The number of a transaction, by which its outcome can be found out after the acknowledgement of its commit was lost.
///
/// Valid in one cluster, and as long as Postgres remembers it: for millions of transactions.
public struct TransactionID: Sendable, Hashable, CustomStringConvertible {
    let number: UInt64

    static let query: Query = "select pg_current_xact_id()::text"

    /// From the result of `query`.
    init?(_ result: ResultHandle) {
        guard result.rowCount == 1, let bytes = result.value(row: 0, column: 0) else { return nil }
        guard let number = UInt64(String(decoding: bytes, as: UTF8.self)) else { return nil }
        self.number = number
    }

    /// As in `pg_xact_status`.
    public var description: String { String(number) }
}

/// What became of a transaction.
public enum TransactionOutcome: Sendable, Hashable {
    case committed
    /// Nothing of it has taken effect.
    case rolledBack
}

extension PostgresConnection {
    /// What became of a transaction; nil while it goes on or when Postgres no longer knows. "It goes on" is no promise that
    /// it will not commit: ask again.
    public func outcome(
        of transaction: TransactionID,
        deadline: Instant? = nil
    ) async throws(PostgresError) -> TransactionOutcome? {
        let query: Query = "select pg_xact_status(\(transaction.description)::xid8)"
        let rows = try await self.query(query, isReadOnly: true, deadline: deadline)
        switch try rows.first?[0, as: String?.self] {
        case "committed": return .committed
        case "aborted": return .rolledBack
        default: return nil
        }
    }
}

extension ConnectionPool {
    /// Finds out what became of a transaction whose commit was not acknowledged, waiting while it goes on and while
    /// Postgres is away. Nil when that is not known by the deadline.
    ///
    /// - Parameter deadline: `operationTimeout` from now if nil.
    public func outcome(
        of transaction: TransactionID,
        deadline: ContinuousClock.Instant? = nil
    ) async -> TransactionOutcome? {
        let deadline = deadline ?? .now + configuration.operationTimeout
        while deadline > .now, !Task.isCancelled {
            let outcome = try? await withConnection(deadline: deadline) { connection in
                try await connection.outcome(of: transaction, deadline: deadline)
            }
            if let outcome { return outcome }
            // A lost session takes some milliseconds to end.
            try? await Task.sleep(for: .milliseconds(20))
        }
        return nil
    }
}
