/// Accepts a run for later: stores the question and gives the run its place in the queue, in one transaction. The same run
/// again changes nothing.
///
/// Errors: `already_exists` when the id belongs to another question, as for `OpenRun`; `invalid_argument`.
public struct EnqueueRun: Operation {
    /// The name on the wire.
    public static let name = "runs.enqueue"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.gateway, .agentRunner, .admin]
    /// The longest delay and the longest deadline: a year.
    public static let longestMilliseconds = RunPolicy.longestMilliseconds
    /// The longest name of a lane or a unique key, in UTF-8 bytes.
    public static let maximumNameBytes = 200

    /// The run as it was accepted, or the one that stands for it.
    public struct Result: Codable, Sendable, Equatable {
        /// The run; with a unique key perhaps an earlier one.
        public var run: RunID
        /// Whether it was accepted by this call.
        public var isNew: Bool

        enum CodingKeys: String, CodingKey {
            case run
            case isNew = "new"
        }

        /// From its parts.
        public init(run: RunID, isNew: Bool) {
            self.run = run
            self.isNew = isNew
        }
    }

    /// While one run stands for a key, no other is accepted under it. Without `seconds` and without `untilEnded` it stands
    /// until it has ended.
    public struct Unique: Codable, Sendable, Equatable {
        /// Beside the agent and this name nothing is looked at; left out, the question's words.
        public var key: String?
        /// It stands at least so long from its acceptance.
        public var seconds: Int?
        /// It stands as long as it has not ended.
        public var untilEnded: Bool?

        enum CodingKeys: String, CodingKey {
            case key, seconds
            case untilEnded = "until_ended"
        }

        /// From its parts.
        public init(key: String? = nil, seconds: Int? = nil, untilEnded: Bool? = nil) {
            self.key = key
            self.seconds = seconds
            self.untilEnded = untilEnded
        }
    }

    /// The run.
    public var run: RunID
    /// The agent's name.
    public var agent: String
    /// What is asked.
    public var question: Question
    /// 0 to 3, 1 when left out: a step counts as a minute of waiting.
    public var priority: Int?
    /// It is not begun before this time is over.
    public var delayMilliseconds: Int?
    /// It is ended when this time is over.
    public var deadlineMilliseconds: Int?
    /// How often it may fail or be lost, 1 to 100; 5 when left out.
    public var tries: Int?
    /// The runs of a lane are carried out in their order.
    public var lane: String?
    /// How many of the lane at a time, 1 to 1,000; 1 when left out.
    public var laneWidth: Int?
    /// Whether another run may stand for it.
    public var unique: Unique?
    /// The run that begins it, and takes it along when it is cancelled.
    public var parent: RunID?
    /// The trace it belongs to, as W3C Trace Context writes it; the call's when left out.
    public var traceparent: String?

    enum CodingKeys: String, CodingKey {
        case run, agent, question, priority
        case delayMilliseconds = "delay_ms"
        case deadlineMilliseconds = "deadline_ms"
        case tries, lane
        case laneWidth = "lane_width"
        case unique, parent, traceparent
    }

    /// The call with its arguments; what is left out is as each says.
    public init(run: RunID, agent: String = "documentation", question: Question) {
        self.run = run
        self.agent = agent
        self.question = question
    }
}
