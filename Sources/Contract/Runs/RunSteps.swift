public import Wire

/// Begins a step of a run, a call of a model or a tool: what it needs is taken from the budgets in the same transaction. What
/// an earlier attempt has bought already is answered instead, where the same was asked.
///
/// Errors: `failed_precondition` when the lease is lost, `resource_exhausted`, retry `no`, when a budget is used up.
public struct BeginStep: Operation {
    /// The name on the wire.
    public static let name = "runs.begin_step"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.agentRunner]
    /// The most bytes of a tool's arguments: people have to read them.
    public static let maximumArgumentBytes = 256 << 10

    /// An approval that the runner wants of a person for a call, whatever the rules say.
    public struct Demand: Codable, Sendable, Equatable {
        /// The most bytes of a reason.
        public static let maximumWhyBytes = 1_000

        /// How long somebody has to decide, in seconds.
        public var seconds: Int
        /// Why it is wanted: a sentence for whoever decides.
        public var why: String

        /// From its parts.
        public init(seconds: Int, why: String) {
            self.seconds = seconds
            self.why = why
        }
    }

    /// What is called.
    public enum Kind: String, Choice {
        case model, tool
    }

    /// How the step stands.
    public struct Result: Codable, Sendable {
        /// Of a step.
        public enum State: String, Codable, Sendable {
            /// To be done now.
            case begun
            /// Done by this attempt or an earlier one.
            case answered
            /// An earlier attempt has begun it, whether it was done is not known, and it must not be repeated.
            case interrupted
            /// A person has to approve it first, and has not: the run is to be released as `awaiting`.
            case waiting
            /// A person does not want it, or nobody has decided in time: it must not be done.
            case denied
        }

        /// How it stands.
        public var state: State
        /// What it came to, when it was done.
        public var answer: JSON?
        /// Why it was denied, where somebody said so.
        public var reason: String?

        /// From its parts.
        public init(state: State, answer: JSON? = nil, reason: String? = nil) {
            self.state = state
            self.answer = answer
            self.reason = reason
        }
    }

    /// The run.
    public var run: RunID
    /// The runner, as it names itself.
    public var runner: String
    /// The attempt the lease is for.
    public var attempt: Int
    /// Its place in the run: the same for every attempt.
    public var step: String
    /// What is called.
    public var kind: Kind
    /// The model's name, or the tool's.
    public var name: String
    /// Of what is asked: 1 to 100 octets.
    public var digest: String
    /// The tokens it may need, as estimated; 0 for a tool.
    public var tokens: Int
    /// Of these, those of the answer, which cost more than others; all of them where it is not said.
    public var outputTokens: Int?
    /// What these may cost, in millionths of a US dollar, where the runner knows the model's price. A price that was set counts
    /// before it.
    public var microdollars: Int?
    /// Whether it may be done again when it is not known whether it was done.
    public var repeats: Bool
    /// What a tool is called with: what a person approves, where one has to.
    public var arguments: String?
    /// The agent that calls a tool: the run's, or one that it asks or consists of. The rules about approvals of both count. Where it
    /// is nil in a part of a run, those of all agents do.
    public var agent: String?
    /// An approval that the runner wants of a person besides what the rules say: it may want more than they do, and never less.
    public var approval: Demand?

    enum CodingKeys: String, CodingKey {
        case run, runner, attempt, step, kind, name, digest, tokens, microdollars, repeats, arguments, agent, approval
        case outputTokens = "output_tokens"
    }

    /// The call with its arguments.
    public init(
        run: RunID,
        runner: String,
        attempt: Int,
        step: String,
        kind: Kind,
        name: String,
        digest: String,
        tokens: Int,
        outputTokens: Int? = nil,
        microdollars: Int? = nil,
        repeats: Bool,
        arguments: String? = nil,
        agent: String? = nil,
        approval: Demand? = nil
    ) {
        self.run = run
        self.runner = runner
        self.attempt = attempt
        self.step = step
        self.kind = kind
        self.name = name
        self.digest = digest
        self.tokens = tokens
        self.outputTokens = outputTokens
        self.microdollars = microdollars
        self.repeats = repeats
        self.arguments = arguments
        self.agent = agent
        self.approval = approval
    }
}

/// Ends a step that was begun, with what it came to. Errors: `failed_precondition` when the lease is lost.
public struct EndStep: Operation {
    /// The name on the wire.
    public static let name = "runs.end_step"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.agentRunner]
    /// What it answers with.
    public typealias Result = Done

    /// The run.
    public var run: RunID
    /// The runner, as it names itself.
    public var runner: String
    /// The attempt the lease is for.
    public var attempt: Int
    /// Its place in the run.
    public var step: String
    /// What it came to; null when it failed.
    public var answer: JSON?
    /// Tokens sent, where the provider says so.
    public var inputTokens: Int
    /// Of these, those the provider had in its cache.
    public var cachedTokens: Int
    /// Tokens received.
    public var outputTokens: Int
    /// What it has cost, in millionths of a US dollar, where the runner knows.
    public var microdollars: Int?
    /// Which of several models gave the answer, where that is not the one it was begun with.
    public var model: String?

    enum CodingKeys: String, CodingKey {
        case run, runner, attempt, step, answer, microdollars, model
        case inputTokens = "input_tokens"
        case cachedTokens = "cached_tokens"
        case outputTokens = "output_tokens"
    }

    /// The call with its arguments.
    public init(
        run: RunID,
        runner: String,
        attempt: Int,
        step: String,
        answer: JSON?,
        inputTokens: Int = 0,
        cachedTokens: Int = 0,
        outputTokens: Int = 0,
        microdollars: Int? = nil,
        model: String? = nil
    ) {
        self.run = run
        self.runner = runner
        self.attempt = attempt
        self.step = step
        self.answer = answer
        self.inputTokens = inputTokens
        self.cachedTokens = cachedTokens
        self.outputTokens = outputTokens
        self.microdollars = microdollars
        self.model = model
    }
}
