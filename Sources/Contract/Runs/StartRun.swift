/// Starts a run live on the agent runner and streams its events as they are stored. A run id that the runner knows
/// already is followed instead of started twice; the caller going away does not stop the run.
///
/// Errors: `already_exists` (the id belongs to another question, as for `OpenRun`), `invalid_argument` (question empty or too long, an id from ahead of time, unknown agent, a Slack thread that is none),
/// `failed_precondition` (there is no Slack token), `resource_exhausted` (the runner is full), `unavailable` (the question
/// could not be stored).
public struct StartRun: StreamingOperation {
    /// The name on the wire.
    public static let name = "runs.start"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.gateway, .admin]
    /// What its stream brings.
    public typealias Item = RunEvent
    /// What it answers with.
    public typealias Result = Done

    /// The run.
    public var run: RunID
    /// The agent's name.
    public var agent: String
    /// What is asked.
    public var question: Question
    /// It is ended when this time is over; never when left out.
    public var deadlineMilliseconds: Int?
    /// How often it may fail or be lost, 1 to 100; 5 when left out.
    public var tries: Int?
    /// Where Slack shows meanwhile that an answer is on its way.
    public var slack: SlackThread?
    /// False where the last event is all that is waited for: the stream brings the first and the last.
    public var watched: Bool?
    /// True where the run's id was made for this very call, so that nobody has asked for the run before: then its model may be asked
    /// while it is being opened.
    public var isNew: Bool?

    enum CodingKeys: String, CodingKey {
        case run, agent, question
        case deadlineMilliseconds = "deadline_ms"
        case tries, slack, watched
        case isNew = "new"
    }

    /// The call with its arguments.
    public init(
        run: RunID,
        agent: String = "documentation",
        question: Question,
        policy: RunPolicy = RunPolicy(),
        slack: SlackThread? = nil,
        isNew: Bool? = nil
    ) {
        self.run = run
        self.agent = agent
        self.question = question
        deadlineMilliseconds = policy.deadlineMilliseconds
        tries = policy.tries
        self.slack = slack
        self.isNew = isNew
    }

    /// Whether each event is wanted as it comes.
    public var isWatched: Bool { watched ?? true }

    /// Its deadline and tries.
    public var policy: RunPolicy { RunPolicy(deadlineMilliseconds: deadlineMilliseconds, tries: tries) }
}
