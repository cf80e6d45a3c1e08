import DequeModule

/// The state of a batch that was sent: what the server still owes, and what has come.
struct Exchange {
    /// One thing the server will answer.
    enum Expected {
        case prepared(Query)
        /// Results up to a nil; kept when the caller wants them.
        case statement(isKept: Bool)
        case commit
        /// The number of the transaction.
        case transactionID
        /// Exactly one result, without a nil.
        case sync
        /// Any number of results up to a nil.
        case script
    }

    /// What became of one statement.
    enum Outcome {
        case done(ResultHandle)
        case failed(PostgresError)
        /// Not run, because an earlier one up to the same sync failed.
        case aborted
    }

    let ending: Batch.Ending
    let isReadOnly: Bool
    /// Whether this is a text of several statements, for which the connection has left pipeline mode.
    let isScript: Bool
    private var expected: Deque<Expected> = []
    /// What became of the statements so far, in their order.
    private(set) var outcomes: [Outcome] = []
    /// The first error decides: what follows it is its consequence.
    private(set) var error: PostgresError?
    /// The number of the transaction, if it was asked for.
    private(set) var transactionID: TransactionID?
    /// Preparations that did not succeed.
    private(set) var unprepared: [Query] = []
    /// Whether a statement prepared earlier was run, whose plan may have become stale.
    var usesOldPlans = false
    /// Whether the server answered in a way nobody here understands.
    private(set) var isDerailed = false

    init(_ batch: Batch) {
        ending = batch.ending
        isReadOnly = batch.isReadOnly
        isScript = batch.script != nil
    }

    var isFinished: Bool { expected.isEmpty || isDerailed }

    /// The results of the statements that were done.
    var results: [ResultHandle] {
        outcomes.compactMap { outcome in
            if case .done(let result) = outcome { result } else { nil }
        }
    }

    /// Whether losing the connection now leaves open if the transaction was committed.
    ///
    /// A statement's result comes before its commit begins, so an error in its place settles the matter. An error in
    /// the place of the sync or of COMMIT's own result means a rollback too, unless it ends the session: then it may
    /// have come after the commit.
    var mayHaveCommitted: Bool {
        guard ending != .stays, !isReadOnly else { return false }
        return error == nil || isErrorAfterCommit
    }
    private var isErrorAfterCommit = false
    private var isErrorAtSync = false
    /// The error of the preparation before a statement, which is then reported as the statement's.
    private var preparationError: PostgresError?
    /// The first outcome since the last sync.
    private var firstSinceSync = 0

    mutating func expect(_ answer: Expected) {
        expected.append(answer)
    }

    /// Takes the next result, or the nil that ends a statement.
    mutating func take(_ result: ResultHandle?) {
        guard let current = expected.first else { return isDerailed = true }
        guard let result else {
            endStatement(current)
            return
        }
        switch result.status {
        case .error:
            let report = result.report
            // libpq's own errors have no state: it has given the connection up.
            if report.state.rawValue.isEmpty { isDerailed = true } else { fail(PostgresError(report), at: current) }
        case .aborted:
            abort(current)
        case .unsupported:
            fail(PostgresError(.protocolViolation, "COPY is not supported"), at: current)
            isDerailed = true
        case .sync:
            guard case .sync = current else { return isDerailed = true }
            expected.removeFirst()
            firstSinceSync = outcomes.count
        case .rows, .command:
            accept(result, at: current)
        }
    }

    private mutating func endStatement(_ current: Expected) {
        guard case .sync = current else {
            expected.removeFirst()
            return
        }
        // A sync is not followed by a nil, except after an error in its place, which libpq ends like a statement's; the
        // sync itself still comes.
        if !isErrorAtSync { isDerailed = true }
        isErrorAtSync = false
    }

    private mutating func accept(_ result: ResultHandle, at current: Expected) {
        switch current {
        case .statement(isKept: true): outcomes.append(.done(result))
        case .transactionID: transactionID = TransactionID(result)
        case .commit where result.commandTag == "ROLLBACK":
            // What COMMIT does in a failed transaction.
            fail(.inFailedTransaction, at: current)
        default: break
        }
    }

    private mutating func abort(_ current: Expected) {
        switch current {
        case .prepared(let query): unprepared.append(query)
        case .statement(isKept: true):
            outcomes.append(preparationError.map { .failed($0) } ?? .aborted)
            preparationError = nil
        default: break
        }
    }

    private mutating func fail(_ failure: PostgresError, at current: Expected) {
        switch current {
        case .prepared(let query):
            unprepared.append(query)
            preparationError = failure
        case .statement(isKept: true): outcomes.append(.failed(failure))
        case .sync:
            isErrorAtSync = true
            // What was done is undone, all of it since the last sync.
            for index in firstSinceSync..<outcomes.count { outcomes[index] = .failed(failure) }
        case .statement, .commit, .transactionID, .script: break
        }
        guard error == nil else { return }
        error = failure
        switch current {
        // A script commits at its end, and nothing tells whether that was reached.
        case .commit, .sync, .script: isErrorAfterCommit = failure.server?.isFatal ?? false
        case .prepared, .statement, .transactionID: break
        }
    }
}

extension PostgresError {
    /// What a statement gets that came after one that failed, in the same transaction.
    static let inFailedTransaction = PostgresError(
        .sqlState(.inFailedTransaction),
        "an earlier statement of the transaction failed"
    )
}
