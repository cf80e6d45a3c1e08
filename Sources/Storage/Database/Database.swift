import Contract
import Logging
import NIOCore
import Postgres
import RPC
import Traces
import Tracing
import Wire

/// Postgres as the operations see it: statements in, rows or the protocol's errors out.
struct Database: Sendable {
    /// Nil when no database is configured.
    let pool: ConnectionPool?
    /// Those that transactions hold while their callers think.
    let transactions: ConnectionPool?
    /// Whether the tables are there; until then every call is `unavailable`.
    let schema: Schema
    /// What keeps spans; nil where none are kept.
    var recorder: SpanRecorder?
    let logger: Logger

    /// One statement of a call: of the transaction the call is within, or else one transaction and one round trip. One
    /// that only reads, and is short, shares a connection with other callers' reads.
    func rows(
        _ query: Query,
        isReadOnly: Bool = false,
        isShort: Bool = true,
        _ call: CallContext
    ) async throws -> Rows {
        if let scope = call.within {
            return try await within(scope) { try await $0.query(query, deadline: call.deadline) }
        }
        guard isReadOnly, isShort else {
            return try await rows(query, isReadOnly: isReadOnly, deadline: call.deadline)
        }
        let pool = try await ready(call.deadline)
        do {
            return try await pool.read(query, deadline: call.deadline)
        } catch {
            throw refusal(error)
        }
    }

    /// As above, where the statement's one value, or its last, is a document: its text as Postgres wrote it, or nil without a row or a
    /// value.
    func json(_ query: Query, isReadOnly: Bool = false, _ call: CallContext) async throws -> JSON? {
        try Self.document(try await rows(query, isReadOnly: isReadOnly, call))
    }

    /// Something done in the open transaction that a call is within.
    func within<Value: Sendable>(
        _ scope: CallScope,
        _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        let transaction = try await scope.value(as: OpenTransaction.self)
        do {
            return try await transaction.use(body)
        } catch let error as PostgresError {
            throw refusal(error)
        }
    }

    /// One statement, which is one transaction and one round trip. One that only reads may be sent again when its answer is
    /// lost.
    func rows(
        _ query: Query,
        isReadOnly: Bool = false,
        deadline: ContinuousClock.Instant
    ) async throws -> Rows {
        let pool = try await ready(deadline)
        do {
            return try await pool.query(query, isReadOnly: isReadOnly, deadline: deadline)
        } catch {
            throw refusal(error)
        }
    }

    /// Statements known beforehand, of a call: part of the transaction the call is within, or else one of their own.
    func transaction(_ queries: [Query], _ call: CallContext) async throws -> [Rows] {
        guard let scope = call.within else { return try await transaction(queries, deadline: call.deadline) }
        return try await within(scope) { connection in
            var results: [Rows] = []
            for query in queries { results.append(try await connection.query(query, deadline: call.deadline)) }
            return results
        }
    }

    /// Statements known beforehand: one transaction and one round trip.
    func transaction(_ queries: [Query], deadline: ContinuousClock.Instant) async throws -> [Rows] {
        let pool = try await ready(deadline)
        do {
            return try await pool.transaction(queries, deadline: deadline)
        } catch {
            throw refusal(error)
        }
    }

    /// A statement that is to find its rows along an index whatever the table was like when its plan was made: one that is
    /// nearly empty at one moment may hold, at the next, more than can be read each time.
    func rowsByIndex(_ query: Query, deadline: ContinuousClock.Instant) async throws -> Rows {
        let results = try await transaction([Self.byIndex, query], deadline: deadline)
        return results[1]
    }

    /// What such a statement begins with, in a transaction with others.
    static let byIndex: Query = """
        select set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)
        """

    /// A statement whose one value is a document: its text as Postgres wrote it, or nil without a row or a value.
    func json(
        _ query: Query,
        isReadOnly: Bool = false,
        deadline: ContinuousClock.Instant
    ) async throws -> JSON? {
        let rows = try await rows(query, isReadOnly: isReadOnly, deadline: deadline)
        return try Self.document(rows)
    }

    /// The last value of the one row.
    static func document(_ rows: Rows) throws -> JSON? {
        let column = rows.columnCount - 1
        guard let row = rows.first, try !row.isNull(column) else { return nil }
        return JSON(trusted: try row.withUnsafeBytes(column) { ByteBuffer(bytes: $0) })
    }

    /// A transaction that the caller ends; see `ConnectionPool.withTransaction`. It has connections of its own, so that
    /// those who hold one for long do not keep single statements waiting.
    func withTransaction<Value: Sendable>(
        isolation: Isolation,
        isReadOnly: Bool,
        deadline: ContinuousClock.Instant,
        _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        _ = try await ready(deadline)
        guard let transactions else { throw ServiceError.unavailable("No database is configured.", retry: .no) }
        do {
            return try await transactions.withTransaction(
                isolation: isolation,
                isReadOnly: isReadOnly,
                deadline: deadline,
                body
            )
        } catch let error as PostgresError {
            throw refusal(error)
        }
    }

    /// What is written together with what others write at that moment, by somebody else: for the caller a span of its own.
    func gathered<Value: Sendable>(_ write: () async throws -> Value) async throws -> Value {
        guard let recorder, TraceParent.current?.isSampled == true else { return try await write() }
        return try await recorder.withSpan("BATCH", ofKind: .client) { span in
            span.attributes = ["db.system.name": "postgresql", "db.operation.name": "BATCH"]
            return try await write()
        }
    }

    private func ready(_ deadline: ContinuousClock.Instant) async throws(ServiceError) -> ConnectionPool {
        guard let pool else {
            throw ServiceError(
                .unavailable,
                "No database is configured: set DATABASE_URL for octavo-storage.",
                retry: .no
            )
        }
        try await schema.ready(deadline: deadline)
        return pool
    }

    /// What the caller is told, and the log if it is a defect of ours, or may be one: by its state and constraint, since what the
    /// server said may quote rows.
    private func refusal(_ error: PostgresError) -> ServiceError {
        let refusal = ServiceError(error)
        if refusal.code == .internal {
            logger.error("statement failed", metadata: ["error": "\(error)"])
        } else if let state = error.sqlState?.rawValue, ServiceError.unstorable.contains(state) {
            logger.warning("a value was refused", metadata: ["error": "\(error)"])
        }
        return refusal
    }
}

extension ServiceError {
    /// What the caller is told of a failure in Postgres: never SQL, never data.
    init(_ error: PostgresError) {
        switch error.code {
        case .unavailable, .connectionLost, .closed:
            self = .unavailable("The database is away; try again in a moment.")
        case .outcomeUnknown:
            self = .outcomeUnknown("The database went away while it was committing.")
        case .timedOut:
            self = .deadlineExceeded("The database did not answer in time.", retry: .safe)
        case .cancelled:
            self = .cancelled()
        case .exhausted:
            self = .resourceExhausted(
                "The database has more to do than it can; try again in a moment.",
                afterMilliseconds: 250
            )
        case .invalidParameter:
            self = .invalidArgument("A text holds a character the database cannot store.")
        case .sqlState(let state):
            self = Self.refusal(error, state)
        case .busy, .invalidConfiguration, .undecodable, .protocolViolation:
            self = .internal("Something went wrong with the database; the log of octavo-storage says more.")
        }
    }

    /// What it means for a caller that a constraint does not hold.
    private static let sentences = [
        "book_title_key": "There is a book of that title already.",
        "reader_handle": "There is a reader of that handle already.",
        "api_key_name": "There is a key of that name already: revoke it first, or choose another name.",
        "reading_list_entry_reader": "There is no such reader.",
        "reading_list_entry_book": "There is no such book.",
    ]

    /// The states of a value that is none. What is checked beforehand has a sentence of its own; these are for a number or a day that
    /// nobody has thought of. Or for a cast or a sum of our own statements, which only the log can tell.
    fileprivate static let unstorable: Set = ["22003", "22007", "22008", "22P02"]

    private static func refusal(_ error: PostgresError, _ state: SQLState) -> ServiceError {
        if error.isUnavailable { return .unavailable("The database is away; try again in a moment.") }
        if error.isRetryable { return .aborted("Another transaction was faster; try again.") }
        // Raised by our own statements, with a sentence made for the caller.
        switch state.rawValue {
        case "OC001": return .notFound(error.server?.message ?? "There is no such thing.")
        case Intention.carriedOut: return .carriedOut
        case "OC006": return ServiceError(.resourceExhausted, error.server?.message ?? "It is used up.", retry: .no)
        case "OC004": return .alreadyExists(error.server?.message ?? "It exists already.")
        case Acceptance.givenUp: return .givenUp
        case "OC002": return .failedPrecondition(error.server?.message ?? "That is not possible now.")
        case let state where unstorable.contains(state):
            return .invalidArgument(
                "A number, a time, an id or a JSON text among the arguments is none that the database can store."
            )
        case "23503": return .notFound(sentences[error.constraint ?? ""] ?? "Something it refers to does not exist.")
        case "23505": return .alreadyExists(sentences[error.constraint ?? ""] ?? "It exists already.")
        case "25006": return .failedPrecondition("The transaction may only read.")
        case "25P02":
            return .failedPrecondition("A statement failed in this transaction before: it can only be rolled back.")
        case "57014": return .deadlineExceeded("The database did not answer in time.", retry: .safe)
        default: return .internal("The database refused a statement; the log of octavo-storage says more.")
        }
    }
}
