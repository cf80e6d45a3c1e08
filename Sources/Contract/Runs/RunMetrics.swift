/// What runs do, in numbers for monitoring: those of the database as they stand, and those of this storage service since it was
/// started. Of more than 50 agents the rest is `other`.
public struct GetRunMetrics: Operation {
    /// The name on the wire.
    public static let name = "runs.metrics"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.gateway, .admin]
    /// It changes nothing.
    public static let effect = Effect.reads
    /// Agents that are told apart: names come from callers, and the number of series has to be bounded.
    public static let mostAgents = 50
    /// The name of the rest.
    public static let rest = "other"

    /// The numbers.
    public struct Result: Codable, Sendable, Equatable {
        /// By agent.
        public var agents: [String: Agent]
        /// Messages by their state, those that were sent left out.
        public var outbox: [String: Int]
        /// The bounds of the histograms, in microseconds.
        public var bounds: [Int]

        enum CodingKeys: String, CodingKey {
            case agents, outbox
            case bounds = "bounds_us"
        }

        /// From its parts.
        public init(agents: [String: Agent], outbox: [String: Int]) {
            self.agents = agents
            self.outbox = outbox
            bounds = Stats.bounds
        }
    }

    /// Those of one agent.
    public struct Agent: Codable, Sendable, Equatable {
        /// Runs that are under way, by their state: over all hosts.
        public var underWay: [String: Int]
        /// Runs that have ended here, by how they ended.
        public var ended: [String: Int]
        /// How long it took from their acceptance to their end.
        public var durations: Histogram
        /// How long runs that were given out here had waited for it since they fell due.
        public var pickups: Histogram

        enum CodingKeys: String, CodingKey {
            case underWay = "under_way"
            case ended, durations, pickups
        }

        /// Nothing yet.
        public init() {
            underWay = [:]
            ended = [:]
            durations = Histogram()
            pickups = Histogram()
        }
    }

    /// How long things took.
    public struct Histogram: Codable, Sendable, Equatable {
        /// Together, in microseconds.
        public var microseconds: Int
        /// How many took at most as long as each of the bounds, and longer than the one before; the last number is of those
        /// that took longer than all.
        public var buckets: [Int]

        enum CodingKeys: String, CodingKey {
            case microseconds = "us"
            case buckets
        }

        /// Nothing yet.
        public init() {
            microseconds = 0
            buckets = Array(repeating: 0, count: Stats.bounds.count + 1)
        }

        /// Counts one.
        public mutating func add(seconds: Double) {
            let microseconds = Int(min(max(0, seconds), 1e9) * 1e6)
            self.microseconds += microseconds
            buckets[Stats.bounds.firstIndex { microseconds <= $0 } ?? Stats.bounds.count] += 1
        }
    }

    /// The call; it takes no arguments.
    public init() {}
}
