extension ConnectionPool {
    /// Runs one short statement that only reads, together with what other callers read at the same moment: several times
    /// as many a second as by `query`, and no connection is lent for it.
    ///
    /// The server refuses whatever would write (`readOnlyTransaction`). The statements of a batch are one transaction:
    /// they share `now()`. An error of one never reaches another caller. A statement that takes longer than `slowRead`
    /// is run once more on an ordinary connection, and for a second goes there at once, for up to a minute when it is
    /// slow each time. Reads that differ only in a `\(key: …)` may be carried out as one statement. A caller that is cancelled or whose deadline passes is answered at once.
    ///
    /// - Throws: As `query`; `exhausted` at once when `maximumWaitingReads` wait.
    public func read(
        _ query: Query,
        deadline: ContinuousClock.Instant? = nil
    ) async throws(PostgresError) -> Rows {
        let now = ContinuousClock.Instant.now
        let deadline = deadline ?? now + configuration.operationTimeout
        try query.check()
        guard deadline > now else { throw error(for: .timedOut) }
        return try await spanned(query.operation) { () throws(PostgresError) in
            switch await reads?.read(query, until: deadline) {
            case .rows(let rows): return rows
            case .failed(let error): throw error
            case .diverted, nil: return try await readAlone(query, until: deadline)
            }
        }
    }

    private func readAlone(_ query: Query, until deadline: ContinuousClock.Instant) async throws(PostgresError) -> Rows
    {
        let results = try await transaction([query], isReadOnly: true, deadline: deadline)
        guard let rows = results.first else {
            throw PostgresError(.protocolViolation, "the server gave no result")
        }
        return rows
    }
}
