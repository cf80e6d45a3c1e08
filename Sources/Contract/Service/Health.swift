/// How a service is: answered by the reader itself, so that it answers while everything else hangs.
public struct GetHealth: Operation {
    /// The name on the wire.
    public static let name = "health"
    /// The roles that may call it.
    public static let callers: Set<Role> = Set(Role.allCases)
    /// It changes nothing.
    public static let effect = Effect.reads
    /// What it answers with.
    public typealias Result = Health
    /// The call with its arguments.
    public init() {}
}

/// What a service says of itself.
public struct Health: Codable, Sendable, Equatable {
    /// The service: `storage`, `agent-runner` or `gateway`.
    public var service: String
    /// The process is running; false is never sent, absence of an answer means it.
    public var live: Bool
    /// It can do its work now.
    public var ready: Bool
    /// Why it is not ready, in sentences for people; empty when it is.
    public var reasons: [String]
    /// What is amiss and keeps it from none of its work, in sentences: a model that does not answer. Nil when there is nothing.
    public var warnings: [String]?
    /// Milliseconds since the process started.
    public var uptimeMilliseconds: Int
    /// Octavo's version.
    public var version: String
    /// Calls in flight: without this one, and without streams that stand waiting for things to come.
    public var inFlight: Int
    /// Open connections on all sockets.
    public var connections: Int
    /// Numbers of the service's own, such as `pool.idle`.
    public var gauges: [String: Int]

    /// Storage's gauge of runs that wait for an agent runner.
    public static let queuedRuns = "runs.queued"
    /// The gauge of storage that counts the messages an agent runner could send now.
    public static let dueMessages = "outbox.due"
    /// Spans that were not handed over yet, where a service keeps any.
    public static let waitingSpans = "spans.waiting"
    /// Spans that were handed over since it started.
    public static let exportedSpans = "spans.exported"
    /// Spans that were let go since it started: nobody took them in time.
    public static let droppedSpans = "spans.dropped"
    /// Those of the gauges that only grow.
    static let counters: Set = [exportedSpans, droppedSpans]
    /// The reason of a service that takes no new work because an administrator asked for it.
    public static let drained = "drained by an administrator"

    enum CodingKeys: String, CodingKey {
        case service, live, ready, reasons, warnings, version, connections, gauges
        case uptimeMilliseconds = "uptime_ms"
        case inFlight = "in_flight"
    }

    /// From its parts.
    public init(
        service: String,
        ready: Bool,
        reasons: [String],
        warnings: [String] = [],
        uptimeMilliseconds: Int,
        version: String,
        inFlight: Int,
        connections: Int,
        gauges: [String: Int]
    ) {
        self.service = service
        live = true
        self.ready = ready
        self.reasons = reasons
        self.warnings = warnings.isEmpty ? nil : warnings
        self.uptimeMilliseconds = uptimeMilliseconds
        self.version = version
        self.inFlight = inFlight
        self.connections = connections
        self.gauges = gauges
    }
}

/// What a service offers: answered like `GetHealth`.
public struct Describe: Operation {
    /// The name on the wire.
    public static let name = "describe"
    /// The roles that may call it.
    public static let callers: Set<Role> = Set(Role.allCases)
    /// It changes nothing.
    public static let effect = Effect.reads
    /// What it answers with.
    public typealias Result = Description
    /// The call with its arguments.
    public init() {}
}

/// A service's description of itself.
public struct Description: Codable, Sendable, Equatable {
    /// One operation of the service.
    public struct Entry: Codable, Sendable, Equatable {
        /// The operation.
        public var name: String
        /// The roles that may call it.
        public var callers: [Role]
        /// Whether it answers with a stream.
        public var streams: Bool

        /// From its parts.
        public init(name: String, callers: [Role], streams: Bool) {
            self.name = name
            self.callers = callers
            self.streams = streams
        }
    }

    /// The service's name.
    public var service: String
    /// Octavo's version.
    public var version: String
    /// The protocol versions it speaks, lowest and highest.
    public var protocolVersions: [Int]
    /// By name.
    public var operations: [Entry]

    enum CodingKeys: String, CodingKey {
        case service, version, operations
        case protocolVersions = "protocol"
    }

    /// From its parts.
    public init(service: String, version: String, protocolVersions: [Int], operations: [Entry]) {
        self.service = service
        self.version = version
        self.protocolVersions = protocolVersions
        self.operations = operations
    }
}
