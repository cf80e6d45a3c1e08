/// What kind of failure it is: for programs (`protocol/README.md`, section 5).
public enum ErrorCode: String, Sendable, CaseIterable {
    case invalidArgument = "invalid_argument"
    case unauthenticated
    case permissionDenied = "permission_denied"
    case notFound = "not_found"
    case alreadyExists = "already_exists"
    case failedPrecondition = "failed_precondition"
    case aborted
    case resourceExhausted = "resource_exhausted"
    case cancelled
    case deadlineExceeded = "deadline_exceeded"
    case unavailable
    case outcomeUnknown = "outcome_unknown"
    case unimplemented
    case `internal`
    case dataLoss = "data_loss"
    case protocolError = "protocol_error"

    /// The retry that usually goes with it.
    public var usualRetry: Retry {
        switch self {
        case .aborted, .resourceExhausted, .unavailable: .safe
        case .deadlineExceeded, .outcomeUnknown: .sameKey
        default: .no
        }
    }

    /// The HTTP status that says the same. A connection error is a defect of ours, hence 500.
    public var httpStatus: Int {
        switch self {
        case .invalidArgument: 400
        case .unauthenticated: 401
        case .permissionDenied: 403
        case .notFound: 404
        case .alreadyExists, .failedPrecondition, .aborted: 409
        case .resourceExhausted: 429
        case .cancelled: 499
        case .internal, .dataLoss, .protocolError: 500
        case .unimplemented: 501
        case .unavailable: 503
        case .deadlineExceeded, .outcomeUnknown: 504
        }
    }
}

/// What the caller may do after a failure. Callers obey this, and do not guess from the code.
public enum Retry: String, Sendable, CaseIterable {
    /// The same call fails again.
    case no
    /// Nothing was done: try again.
    case safe
    /// It may have been done: try again only with the same idempotency key.
    case sameKey = "same_key"
}

/// A failure that travels: the one error of every call on a service.
public struct ServiceError: Error, Sendable, Equatable {
    /// For programs.
    public var code: ErrorCode
    /// A sentence for people, without SQL, paths or secrets.
    public var message: String
    /// What the caller may do.
    public var retry: Retry
    /// Wait so long before trying again.
    public var afterMilliseconds: Int?
    /// An object with more, where an operation's page says so.
    public var details: JSON?

    /// An error with the code's usual retry unless another is given.
    public init(
        _ code: ErrorCode,
        _ message: String,
        retry: Retry? = nil,
        afterMilliseconds: Int? = nil,
        details: JSON? = nil
    ) {
        self.code = code
        self.message = message
        self.retry = retry ?? code.usualRetry
        self.afterMilliseconds = afterMilliseconds
        self.details = details
    }
}

extension ServiceError: CustomStringConvertible {
    /// `not_found: No book 12. (retry: no)`
    public var description: String { "\(code.rawValue): \(message) (retry: \(retry.rawValue))" }
}

/// The common ones by name, each with its usual retry.
extension ServiceError {
    /// The arguments are not what the operation takes.
    public static func invalidArgument(_ message: String) -> Self { Self(.invalidArgument, message) }
    /// Who calls is not known.
    public static func unauthenticated(_ message: String) -> Self { Self(.unauthenticated, message) }
    /// This role may not call it.
    public static func permissionDenied(_ message: String) -> Self { Self(.permissionDenied, message) }
    /// No such thing.
    public static func notFound(_ message: String) -> Self { Self(.notFound, message) }
    /// It exists already, and differs.
    public static func alreadyExists(_ message: String) -> Self { Self(.alreadyExists, message) }
    /// Not in this state.
    public static func failedPrecondition(_ message: String) -> Self { Self(.failedPrecondition, message) }
    /// Lost a race with another transaction, retries used up.
    public static func aborted(_ message: String) -> Self { Self(.aborted, message) }
    /// A limit, a quota, or a full queue; `afterMilliseconds` says when there may be room again.
    public static func resourceExhausted(_ message: String, afterMilliseconds: Int? = nil) -> Self {
        Self(.resourceExhausted, message, afterMilliseconds: afterMilliseconds)
    }
    /// The caller cancelled.
    public static func cancelled(_ message: String = "The caller cancelled.") -> Self { Self(.cancelled, message) }
    /// No answer in time; it may have been done unless `retry` says otherwise.
    public static func deadlineExceeded(_ message: String, retry: Retry = .sameKey) -> Self {
        Self(.deadlineExceeded, message, retry: retry)
    }
    /// Not started, or something it needs is away.
    public static func unavailable(
        _ message: String,
        retry: Retry = .safe,
        afterMilliseconds: Int? = nil
    ) -> Self {
        Self(.unavailable, message, retry: retry, afterMilliseconds: afterMilliseconds)
    }
    /// It was sent to commit, and nobody knows.
    public static func outcomeUnknown(_ message: String) -> Self { Self(.outcomeUnknown, message) }
    /// No such operation.
    public static func unimplemented(_ message: String) -> Self { Self(.unimplemented, message) }
    /// A defect; the service logs it with the trace id.
    public static func `internal`(_ message: String) -> Self { Self(.internal, message) }
    /// Stored data is damaged.
    public static func dataLoss(_ message: String) -> Self { Self(.dataLoss, message) }
}
