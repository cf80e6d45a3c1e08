/// A SQLSTATE: five characters, of which the first two are the class (PostgreSQL manual, appendix A).
///
/// The states that this product branches on or meets often have names; any other can be made from its characters.
public struct SQLState: RawRepresentable, Hashable, Sendable {
    /// The five characters.
    public let rawValue: String

    /// A state from its five characters.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// The first two characters.
    public var category: Substring { rawValue.prefix(2) }

    /// The name of a known state, or its class.
    public var name: String {
        if let name = Self.names[rawValue] { return name }
        return Self.categories[String(category)] ?? "error"
    }

    /// Whether the server as a whole cannot be used now: connection failures, no free connection, shutting down,
    /// starting up, disk full.
    public var isUnavailable: Bool {
        category == "08" || Self.unavailable.contains(self)
    }

    private static let unavailable: Set<SQLState> = [
        .tooManyConnections, .adminShutdown, .crashShutdown, .cannotConnectNow, .diskFull,
    ]
}

extension SQLState {
    /// 0A000; also "cached plan must not change result type".
    public static let featureNotSupported = SQLState(rawValue: "0A000")
    /// 22021
    public static let characterNotInRepertoire = SQLState(rawValue: "22021")
    /// 22P05
    public static let untranslatableCharacter = SQLState(rawValue: "22P05")
    /// 23502
    public static let notNullViolation = SQLState(rawValue: "23502")
    /// 23503
    public static let foreignKeyViolation = SQLState(rawValue: "23503")
    /// 23505
    public static let uniqueViolation = SQLState(rawValue: "23505")
    /// 23514
    public static let checkViolation = SQLState(rawValue: "23514")
    /// 23P01
    public static let exclusionViolation = SQLState(rawValue: "23P01")
    /// 25006
    public static let readOnlyTransaction = SQLState(rawValue: "25006")
    /// 25P02
    public static let inFailedTransaction = SQLState(rawValue: "25P02")
    /// 25P03
    public static let idleInTransactionTimeout = SQLState(rawValue: "25P03")
    /// 26000
    public static let invalidStatementName = SQLState(rawValue: "26000")
    /// 28000
    public static let invalidAuthorization = SQLState(rawValue: "28000")
    /// 3D000
    public static let invalidDatabase = SQLState(rawValue: "3D000")
    /// 40001
    public static let serializationFailure = SQLState(rawValue: "40001")
    /// 40P01
    public static let deadlockDetected = SQLState(rawValue: "40P01")
    /// 42501
    public static let insufficientPrivilege = SQLState(rawValue: "42501")
    /// 42601
    public static let syntaxError = SQLState(rawValue: "42601")
    /// 42703
    public static let undefinedColumn = SQLState(rawValue: "42703")
    /// 42P01
    public static let undefinedTable = SQLState(rawValue: "42P01")
    /// 53100
    public static let diskFull = SQLState(rawValue: "53100")
    /// 53200
    public static let outOfMemory = SQLState(rawValue: "53200")
    /// 53300
    public static let tooManyConnections = SQLState(rawValue: "53300")
    /// 55P03; also what `lock_timeout` gives.
    public static let lockNotAvailable = SQLState(rawValue: "55P03")
    /// 57014; a cancel request or `statement_timeout`.
    public static let queryCanceled = SQLState(rawValue: "57014")
    /// 57P01; a fast shutdown or `pg_terminate_backend`.
    public static let adminShutdown = SQLState(rawValue: "57P01")
    /// 57P02; another backend crashed.
    public static let crashShutdown = SQLState(rawValue: "57P02")
    /// 57P03; starting up or recovering.
    public static let cannotConnectNow = SQLState(rawValue: "57P03")
    /// P0001; `raise exception` without a state of its own.
    public static let raisedException = SQLState(rawValue: "P0001")

    private static let names: [String: String] = [
        "0A000": "feature not supported", "22021": "character not in repertoire", "22P05": "untranslatable character",
        "23502": "not-null violation", "23503": "foreign key violation", "23505": "unique violation",
        "23514": "check violation", "23P01": "exclusion violation", "25006": "read-only transaction",
        "25P02": "in failed transaction", "25P03": "idle in transaction too long",
        "26000": "invalid statement name", "28000": "invalid authorization", "3D000": "no such database",
        "40001": "serialization failure", "40P01": "deadlock detected", "42501": "insufficient privilege",
        "42601": "syntax error", "42703": "undefined column", "42P01": "undefined table", "53100": "disk full",
        "53200": "out of memory", "53300": "too many connections", "55P03": "lock not available",
        "57014": "query cancelled", "57P01": "admin shutdown", "57P02": "crash shutdown",
        "57P03": "cannot connect now", "P0001": "raised exception",
    ]

    private static let categories: [String: String] = [
        "08": "connection exception", "21": "cardinality violation", "22": "data exception",
        "23": "integrity constraint violation", "25": "invalid transaction state", "28": "invalid authorization",
        "40": "transaction rollback", "42": "syntax error or access rule violation",
        "53": "insufficient resources", "54": "program limit exceeded", "55": "object not in prerequisite state",
        "57": "operator intervention", "58": "system error", "P0": "PL/pgSQL error", "XX": "internal error",
    ]
}
