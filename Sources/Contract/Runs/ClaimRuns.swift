/// A runner's offer to work: each item is a run leased to it, or work it is to stop. The open stream is also the sign of
/// life behind all its leases: when the connection ends they are released at once.
public struct ClaimRuns: StreamingOperation {
    /// The name on the wire.
    public static let name = "runs.claim"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.agentRunner, .admin]
    /// What it answers with.
    public typealias Result = Done
    /// More than one process carries out at a time.
    public static let maximumRoom = 10_000
    /// More agents than one runner has.
    public static let maximumOffers = 100

    /// An agent that the runner carries out.
    public struct Offer: Codable, Sendable, Equatable {
        /// Its name.
        public var agent: String
        /// Whom it asks: while that provider is held, none of its runs is given out.
        public var provider: String

        /// From its parts.
        public init(agent: String, provider: String) {
            self.agent = agent
            self.provider = provider
        }
    }

    /// A run to carry out.
    public struct Lease: Codable, Sendable, Equatable {
        /// The run.
        public var run: RunID
        /// The agent's name.
        public var agent: String
        /// What is asked.
        public var question: Question
        /// The attempt the lease is for.
        public var attempt: Int
        /// The number of the next event.
        public var next: Int
        /// The trace it belongs to, as W3C Trace Context writes it.
        public var traceparent: String?

        /// From its parts.
        public init(run: RunID, agent: String, question: Question, attempt: Int, next: Int) {
            self.run = run
            self.agent = agent
            self.question = question
            self.attempt = attempt
            self.next = next
        }
    }

    /// A run whose lease is gone.
    public struct Stop: Codable, Sendable, Equatable {
        /// The run.
        public var run: RunID
        /// Up to this attempt.
        public var attempt: Int

        /// From its parts.
        public init(run: RunID, attempt: Int) {
            self.run = run
            self.attempt = attempt
        }
    }

    /// What the runner is told: `{"run": …}` or `{"stop": {…}}`.
    public enum Item: Codable, Sendable, Equatable {
        /// A run to carry out.
        case lease(Lease)
        /// Work to stop.
        case stop(Stop)

        private enum Key: String, CodingKey { case stop }

        /// Reads the form `encode(to:)` writes.
        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            if let stop = try container.decodeIfPresent(Stop.self, forKey: .stop) {
                self = .stop(stop)
            } else {
                self = .lease(try Lease(from: decoder))
            }
        }

        /// Writes the form of the protocol.
        public func encode(to encoder: any Encoder) throws {
            switch self {
            case .lease(let lease): try lease.encode(to: encoder)
            case .stop(let stop):
                var container = encoder.container(keyedBy: Key.self)
                try container.encode(stop, forKey: .stop)
            }
        }
    }

    /// The runner, as it names itself.
    public var runner: String
    /// What it can do.
    public var offers: [Offer]
    /// How many runs it wants to have at a time.
    public var room: Int
    /// The runs the runner knows it has. What is leased to it beyond them was lost on the way and is free again.
    public var holding: [RunID]

    /// The call with its arguments.
    public init(runner: String, offers: [Offer], room: Int, holding: [RunID]) {
        self.runner = runner
        self.offers = offers
        self.room = room
        self.holding = holding
    }
}
