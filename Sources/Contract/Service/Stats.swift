/// What a service has done since it started, answered like `GetHealth`.
public struct GetStats: Operation {
    /// The name on the wire.
    public static let name = "stats"
    /// The roles that may call it: the gateway shows it to monitoring.
    public static let callers: Set<Role> = [.gateway, .admin]
    /// What it answers with.
    public typealias Result = Stats
    /// It changes nothing.
    public static let effect = Effect.reads
    /// The call with its arguments.
    public init() {}
}

/// Numbers of a service. All but the gauges, and what is in flight, only ever grow until the process ends.
public struct Stats: Codable, Sendable, Equatable {
    /// One operation's calls that have ended.
    public struct Operation: Codable, Sendable, Equatable {
        /// The operation; `other` gathers names that there are not.
        public var name: String
        /// Calls that were answered with a result.
        public var succeeded: Int
        /// Calls that were answered with an error, by its code.
        public var failed: [String: Int]
        /// How long they took together, in microseconds.
        public var microseconds: Int
        /// How many took at most as long as each of the bounds, and longer than the one before; the last number is of those
        /// that took longer than all. Empty for what was refused at once, and for streams that wait for things to come.
        public var buckets: [Int]

        enum CodingKeys: String, CodingKey {
            case name, succeeded, failed, buckets
            case microseconds = "duration_us"
        }

        /// From its parts.
        public init(name: String, succeeded: Int, failed: [String: Int], microseconds: Int, buckets: [Int]) {
            self.name = name
            self.succeeded = succeeded
            self.failed = failed
            self.microseconds = microseconds
            self.buckets = buckets
        }
    }

    /// The bounds of the buckets, in microseconds: from a read to a run with a slow model.
    public static let bounds = [
        500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
        10_000_000, 30_000_000, 120_000_000,
    ]

    /// What `health` says at the same moment.
    public var health: Health
    /// Whether it takes no new work because an administrator asked for that.
    public var isDraining: Bool
    /// The least level that is logged.
    public var logLevel: String
    /// The bounds of the operations' buckets, in microseconds.
    public var bounds: [Int]
    /// By name.
    public var operations: [Operation]
    /// Open connections by the role of their socket.
    public var connections: [String: Int]
    /// Broken rules of the protocol, by name.
    public var violations: [String: Int]

    enum CodingKeys: String, CodingKey {
        case health, operations, connections, violations
        case isDraining = "draining"
        case logLevel = "log_level"
        case bounds = "bounds_us"
    }

    /// From its parts.
    public init(
        health: Health,
        isDraining: Bool,
        logLevel: String,
        operations: [Operation],
        connections: [String: Int],
        violations: [String: Int]
    ) {
        self.health = health
        self.isDraining = isDraining
        self.logLevel = logLevel
        bounds = Self.bounds
        self.operations = operations
        self.connections = connections
        self.violations = violations
    }
}
