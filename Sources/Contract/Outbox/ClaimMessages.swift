/// An agent runner's offer to send: each item is a message leased to it, the first one that waits for its destination. The
/// connection is the sign of life behind its leases, as it is for runs.
public struct ClaimMessages: StreamingOperation {
    /// The name on the wire.
    public static let name = "outbox.claim"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.agentRunner]
    /// What it answers with.
    public typealias Result = Done

    /// A message to send.
    public struct Item: Codable, Sendable, Equatable {
        /// How it is sent.
        public enum Kind: String, Codable, Sendable {
            /// POST to a URL, signed.
            case webhook
        }

        /// Its number.
        public var message: Int
        /// How it is sent.
        public var kind: Kind
        /// Whom it is for: `webhook/NAME`.
        public var destination: String
        /// The attempt the lease is for.
        public var attempt: Int
        /// What the receiver is to know it by, in every attempt.
        public var key: String
        /// What is said.
        public var body: String
        /// Where it goes.
        public var url: String
        /// Whether an earlier attempt may have arrived.
        public var again: Bool
        /// The trace of the run it tells of, as W3C Trace Context writes it.
        public var traceparent: String?

        /// From its parts.
        public init(message: Int, destination: String, attempt: Int, key: String, body: String, url: String) {
            self.message = message
            kind = .webhook
            self.destination = destination
            self.attempt = attempt
            self.key = key
            self.body = body
            self.url = url
            again = false
        }
    }

    /// The runner, as it names itself.
    public var runner: String
    /// The messages the runner knows it has.
    public var holding: [Int]

    /// The call with its arguments.
    public init(runner: String, holding: [Int]) {
        self.runner = runner
        self.holding = holding
    }
}

/// How a message fared. Errors: `failed_precondition` when the lease is lost.
public struct SettleMessage: Operation {
    /// The name on the wire.
    public static let name = "outbox.settle"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.agentRunner]
    /// What it answers with.
    public typealias Result = Done
    /// Nobody may be left alone for longer than this: a day.
    public static let longestMilliseconds = 86_400_000
    /// The most bytes of an error that are kept.
    public static let maximumErrorBytes = 1_000

    /// How it fared.
    public enum Verdict: String, Choice {
        /// The receiver has it.
        case sent
        /// The receiver has it not; it is sent again after a pause.
        case failed
        /// Nobody knows: it is sent again after a pause, under the same key.
        case unknown
        /// The receiver wants nothing more, now and later.
        case gone
    }

    /// The message.
    public var message: Int
    /// The runner, as it names itself.
    public var runner: String
    /// The attempt the lease is for.
    public var attempt: Int
    /// How it fared.
    public var verdict: Verdict
    /// The receiver's status, where it answered.
    public var status: Int?
    /// Why it failed: a sentence.
    public var error: String?
    /// The receiver asked to be left alone for so long.
    public var afterMilliseconds: Int?

    enum CodingKeys: String, CodingKey {
        case message, runner, attempt, verdict, status, error
        case afterMilliseconds = "after_ms"
    }

    /// The call with its arguments.
    public init(
        message: Int,
        runner: String,
        attempt: Int,
        verdict: Verdict,
        status: Int? = nil,
        error: String? = nil,
        afterMilliseconds: Int? = nil
    ) {
        self.message = message
        self.runner = runner
        self.attempt = attempt
        self.verdict = verdict
        self.status = status
        self.error = error
        self.afterMilliseconds = afterMilliseconds
    }
}
