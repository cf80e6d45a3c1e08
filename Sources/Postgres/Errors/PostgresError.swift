/// What went wrong between this process and Postgres.
///
/// Branch on `code`. `description` may be logged and shown: it holds no data of any row or parameter. What the server
/// wrote, which may quote such data, is in `server` and in `debugDescription`.
public struct PostgresError: Error, Sendable {
    /// The kinds of failure a caller can act on.
    public enum Code: Hashable, Sendable {
        /// No connection could be had: refused, not answering, shutting down. Nothing was sent.
        case unavailable
        /// The connection was lost and nothing of the transaction has taken effect.
        case connectionLost
        /// The connection was lost, or time ran out, after the commit was sent: it may have taken effect or not.
        case outcomeUnknown
        /// The server refused; the transaction is rolled back.
        case sqlState(SQLState)
        /// The deadline passed; nothing has taken effect.
        case timedOut
        /// The task was cancelled; nothing has taken effect.
        case cancelled
        /// Every connection of the pool is lent, and too many wait or the wait was too long.
        case exhausted
        /// The connection or pool was closed on this side.
        case closed
        /// The connection already carries an operation or a transaction.
        case busy
        /// A parameter or statement that cannot be sent, for instance a text with a NUL.
        case invalidParameter
        /// A connection string or setting that cannot be used.
        case invalidConfiguration
        /// A column that does not exist or does not hold the type asked for.
        case undecodable
        /// The server or libpq did something this module does not understand; the connection was closed.
        case protocolViolation
    }

    /// What a caller branches on.
    public let code: Code

    /// Why, in words that hold no data.
    public let reason: String

    /// What the server reported, if it was the server. May hold data.
    public let server: ServerReport?

    /// The transaction whose outcome is unknown, if its number was asked for; see `ConnectionPool.outcome(of:)`.
    public internal(set) var transaction: TransactionID?

    init(_ code: Code, _ reason: String, server: ServerReport? = nil) {
        self.code = code
        self.reason = reason
        self.server = server
    }

    /// The error for what the server reported.
    init(_ server: ServerReport) {
        self.init(.sqlState(server.state), server.state.name, server: server)
    }

    /// The state the server gave, if it was the server.
    public var sqlState: SQLState? {
        if case .sqlState(let state) = code { state } else { nil }
    }

    /// The violated constraint, when the server names one.
    public var constraint: String? { server?.constraint }

    /// Whether running the whole transaction again may succeed: a serialization failure or a deadlock.
    public var isRetryable: Bool {
        sqlState == .serializationFailure || sqlState == .deadlockDetected
    }

    /// Whether Postgres is away, full or shutting down, so that any other call would fail too.
    public var isUnavailable: Bool {
        switch code {
        case .unavailable, .connectionLost: true
        case .sqlState(let state): state.isUnavailable
        default: false
        }
    }
}

extension PostgresError: CustomStringConvertible, CustomDebugStringConvertible {
    /// The kind, the SQLSTATE and the constraint; no data.
    public var description: String {
        guard case .sqlState(let state) = code else { return "\(code): \(reason)" }
        let constraint = constraint.map { ", constraint \($0)" } ?? ""
        return "\(state.name) (SQLSTATE \(state.rawValue)\(constraint))"
    }

    /// Everything the server said. May hold data: for a developer, not for a log.
    public var debugDescription: String {
        guard let server else { return description }
        return "\(description): \(server)"
    }
}

/// The fields of an error or notice of the server. They may quote data of rows and parameters.
public struct ServerReport: Sendable, CustomStringConvertible {
    /// ERROR, FATAL, PANIC, WARNING, NOTICE, …, never translated.
    public let severity: String
    /// The SQLSTATE.
    public let state: SQLState
    /// The primary message.
    public let message: String
    /// More about the problem, if given.
    public let detail: String?
    /// What to do about it, if given.
    public let hint: String?
    /// Where in the statement, in characters from 1, if given.
    public let position: Int?
    /// The call stack of the server's own languages, if given.
    public let context: String?
    /// The schema concerned, if given.
    public let schema: String?
    /// The table concerned, if given.
    public let table: String?
    /// The column concerned, if given.
    public let column: String?
    /// The constraint concerned, if given.
    public let constraint: String?

    /// Whether the server ends the session with this.
    public var isFatal: Bool { severity == "FATAL" || severity == "PANIC" }

    /// All fields that were given.
    public var description: String {
        var text = "\(severity): \(message)"
        let fields = [
            ("detail", detail), ("hint", hint), ("position", position.map(String.init)), ("schema", schema),
            ("table", table), ("column", column), ("context", context),
        ]
        for case (let name, let value?) in fields { text += "; \(name): \(value)" }
        return text
    }
}
