import DequeModule

/// What is sent to the server together, up to one sync.
struct Batch: Sendable {
    /// How the transaction around the statements ends.
    enum Ending: Sendable {
        /// Not by this batch: it is inside a transaction block that goes on.
        case stays
        /// By the sync, which commits what is in no transaction block (PostgreSQL manual, 34.5.1.1).
        case sync
        /// By a COMMIT as the last statement.
        case commit
    }

    /// Sent first, its result dropped: a BEGIN.
    var opening: Query?
    var queries: [Query]
    var ending: Ending
    /// The caller promises that nothing is written, so a lost connection leaves nothing unknown.
    var isReadOnly = false
    /// Several statements in one text, by the simple protocol, in place of `queries`.
    var script: String?

    /// Nobody needs more at once, and libpq keeps every result of a batch until its sync.
    static let maximumQueries = 1000

    /// Throws `invalidParameter` for what cannot be sent, before anything is.
    func check() throws(PostgresError) {
        guard queries.count <= Self.maximumQueries else {
            throw PostgresError(.invalidParameter, "more than \(Self.maximumQueries) statements at once")
        }
        var bytes = 0
        for query in queries {
            if let refusal = query.parameters.refusal { throw refusal }
            if query.sql.utf8.contains(0) { throw PostgresError(.invalidParameter, "a statement contains a NUL") }
            bytes += query.parameters.byteCount
        }
        if script?.utf8.contains(0) == true { throw PostgresError(.invalidParameter, "a script contains a NUL") }
        guard bytes <= Parameters.maximumBytes else {
            throw PostgresError(.invalidParameter, "more than 64 MiB of parameters at once")
        }
    }
}

/// The state of a batch that was sent: what the server still owes, and what has come.
struct Exchange {
    /// One thing the server will answer.
    enum Expected {
        case prepared(Query)
        /// Results up to a nil; kept when the caller wants them.
        case statement(isKept: Bool)
        case commit
        /// Exactly one result, without a nil.
        case sync
        /// Any number of results up to a nil.
        case script
    }

    let ending: Batch.Ending
    let isReadOnly: Bool
    /// Whether this is a text of several statements, for which the connection has left pipeline mode.
    let isScript: Bool
    private var expected: Deque<Expected> = []
    private(set) var results: [ResultHandle] = []
    /// The first error decides: what follows it is its consequence.
    private(set) var error: PostgresError?
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
            if case .prepared(let query) = current { unprepared.append(query) }
        case .unsupported:
            fail(PostgresError(.protocolViolation, "COPY is not supported"), at: current)
            isDerailed = true
        case .sync:
            if case .sync = current { expected.removeFirst() } else { isDerailed = true }
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
        case .statement(isKept: true): results.append(result)
        case .commit where result.commandTag == "ROLLBACK":
            // What COMMIT does in a failed transaction.
            fail(PostgresError(.sqlState(.inFailedTransaction), SQLState.inFailedTransaction.name), at: current)
        default: break
        }
    }

    private mutating func fail(_ failure: PostgresError, at current: Expected) {
        if case .prepared(let query) = current { unprepared.append(query) }
        if case .sync = current { isErrorAtSync = true }
        guard error == nil else { return }
        error = failure
        switch current {
        // A script commits at its end, and nothing tells whether that was reached.
        case .commit, .sync, .script: isErrorAfterCommit = failure.server?.isFatal ?? false
        case .prepared, .statement: break
        }
    }
}
