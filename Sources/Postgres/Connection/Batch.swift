import Glibc

/// What is sent to the server together, up to one sync.
struct Batch: Sendable {
    /// How the transaction around the statements ends.
    enum Ending: Sendable, Equatable {
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
    /// Whether each statement gets a sync of its own, so that none is held up by another one's error.
    var isEachAlone = false

    /// Nobody needs more at once, and libpq keeps every result of a batch until its sync.
    static let maximumQueries = 1000

    /// The size of all parameters.
    var byteCount: Int { queries.reduce(0) { $0 + $1.parameters.byteCount } }

    /// Throws `invalidParameter` for what cannot be sent, before anything is.
    func check() throws(PostgresError) {
        guard queries.count <= Self.maximumQueries else {
            throw PostgresError(.invalidParameter, "more than \(Self.maximumQueries) statements at once")
        }
        for query in queries { try query.check() }
        if script?.containsNUL == true { throw PostgresError(.invalidParameter, "a script contains a NUL") }
        guard byteCount <= Parameters.maximumBytes else {
            throw PostgresError(.invalidParameter, "more than 64 MiB of parameters at once")
        }
    }
}

extension Query {
    /// Throws `invalidParameter` when it cannot be sent.
    func check() throws(PostgresError) {
        if let refusal = parameters.refusal { throw refusal }
        if sql.containsNUL { throw PostgresError(.invalidParameter, "a statement contains a NUL") }
    }
}

extension String {
    /// `contains` looks at one byte at a time, which for a long statement takes longer than sending it.
    fileprivate var containsNUL: Bool {
        var text = self
        return text.withUTF8 { utf8 in
            guard let start = utf8.baseAddress else { return false }
            return memchr(start, 0, utf8.count) != nil
        }
    }
}
