extension PostgresConnection {
    /// What became of one of several reads.
    enum ReadOutcome {
        case rows(Rows)
        case failed(PostgresError)
        /// It was not run because another one failed, or its plan had become stale: to be sent once more.
        case again
    }

    /// Sends reads of several callers with one sync, so as one transaction, and tells of each what became of it. Call it
    /// on the reactor, from the connection's only user. Throws when the connection is lost or does not answer; it is
    /// closed then.
    ///
    /// - Parameter isRepeated: Whether they were in a batch before. Then each is a transaction of its own, and none is
    ///   to be sent again.
    func read(
        _ queries: [Query],
        isRepeated: Bool,
        until deadline: Instant
    ) async throws(PostgresError) -> [ReadOutcome] {
        try await begin(until: deadline)
        defer { end() }
        try send(Batch(queries: queries, ending: .sync, isReadOnly: true, isEachAlone: isRepeated))
        var reason: PostgresError?
        switch await drive(until: deadline, isCancellable: false) {
        case nil: break
        case .lost(let loss): reason = loss
        case .deadline, .cancelled: reason = PostgresError(.timedOut, "the server did not answer in time")
        }
        let (exchange, loss) = try endExchange(lost: reason)
        if let loss { throw loss }
        let isStale = exchange.outcomes.contains { $0.isStale } && exchange.usesOldPlans
        if isStale { forgetStatements() }
        return exchange.outcomes.map { outcome in
            switch outcome {
            case .done(let result): .rows(Rows(result: result))
            case .failed(let error): isStale && !isRepeated && outcome.isStale ? .again : .failed(error)
            case .aborted: .again
            }
        }
    }
}

extension Exchange.Outcome {
    /// Whether a statement prepared earlier was refused because a table has changed since (0A000) or somebody
    /// deallocated it (26000).
    var isStale: Bool {
        guard case .failed(let error) = self else { return false }
        return error.isStalePlan
    }
}

extension PostgresError {
    var isStalePlan: Bool { sqlState == .featureNotSupported || sqlState == .invalidStatementName }
}
