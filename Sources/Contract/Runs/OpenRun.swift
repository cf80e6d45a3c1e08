/// Stores the question and opens its run, leased to the runner that asks, with the run's first event; one transaction.
/// Opening the same run again changes nothing. The first call of a model may begin with it. Errors: `already_exists` when the id belongs to
/// another question, which is one of other words, another agent, reader or channel, or said in a conversation; `invalid_argument` when it is from ahead of time.
public struct OpenRun: Operation {
    /// The name on the wire.
    public static let name = "runs.open"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.agentRunner]

    /// The lease, when the caller has it.
    public struct Result: Codable, Sendable, Equatable {
        /// The attempt the lease is for; nil when the run has ended, or waits or runs elsewhere: follow it then.
        public var attempt: Int?
        /// Whether the step has begun with the run; otherwise it is to be begun by itself.
        public var begun: Bool?

        /// From its parts.
        public init(attempt: Int?, begun: Bool? = nil) {
            self.attempt = attempt
            self.begun = begun
        }
    }

    /// The first call of the model that is named.
    public struct Step: Codable, Sendable, Equatable {
        /// Its place in the run.
        public var step: String
        /// Of what is asked.
        public var digest: String
        /// The tokens it may need, as estimated.
        public var tokens: Int
        /// What it may cost, as estimated; nil where nobody knows.
        public var microdollars: Int?

        /// From its parts.
        public init(step: String, digest: String, tokens: Int, microdollars: Int? = nil) {
            self.step = step
            self.digest = digest
            self.tokens = tokens
            self.microdollars = microdollars
        }
    }

    /// The run.
    public var run: RunID
    /// The agent's name.
    public var agent: String
    /// The model's name.
    public var model: String
    /// What is asked.
    public var question: Question
    /// The runner that holds the lease.
    public var runner: String
    /// Event 1, which the reader is shown while this is on its way.
    public var event: RunEvent
    /// What it begins with, where that is known.
    public var step: Step?
    /// It is ended when this time is over; never when left out.
    public var deadlineMilliseconds: Int?
    /// How often it may fail or be lost, 1 to 100; 5 when left out.
    public var tries: Int?
    /// The trace of whoever asked, as W3C Trace Context writes it; the call's when left out.
    public var traceparent: String?

    enum CodingKeys: String, CodingKey {
        case run, agent, model, question, runner, event, step
        case deadlineMilliseconds = "deadline_ms"
        case tries, traceparent
    }

    /// The call with its arguments.
    public init(
        run: RunID,
        agent: String,
        model: String,
        question: Question,
        runner: String,
        event: RunEvent,
        step: Step? = nil,
        policy: RunPolicy = RunPolicy(),
        traceparent: String? = nil
    ) {
        self.run = run
        self.agent = agent
        self.model = model
        self.question = question
        self.runner = runner
        self.event = event
        self.step = step
        deadlineMilliseconds = policy.deadlineMilliseconds
        tries = policy.tries
        self.traceparent = traceparent
    }

    /// Its deadline and tries.
    public var policy: RunPolicy { RunPolicy(deadlineMilliseconds: deadlineMilliseconds, tries: tries) }
}
