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
    public enum Kind: String, Codable, Sendable {
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

/// Sets how much may be spent, or takes that away. Errors: `invalid_argument`.
public struct SetBudget: Operation {
    /// The name on the wire.
    public static let name = "budgets.set"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// What it answers with.
    public typealias Result = Done

    /// What a budget is counted in.
    public enum Unit: String, Codable, Sendable, CaseIterable {
        case requests
        case toolCalls = "tool_calls"
        case tokens, money
    }

    /// When it begins anew.
    public enum Period: String, Codable, Sendable, CaseIterable {
        case hour, day, month
    }

    /// Its name.
    public var name: String
    /// Of whose runs; what is left out is whichever.
    public var agent: String?
    /// Asked by this reader.
    public var reader: String?
    /// Asked there.
    public var channel: Question.Channel?
    /// What is counted.
    public var unit: Unit
    /// How much; null takes the budget away.
    public var amount: Double?
    /// In each of these, in UTC; null for ever.
    public var period: Period?

    /// The call with its arguments.
    public init(name: String, unit: Unit, amount: Double?, period: Period? = nil) {
        self.name = name
        self.unit = unit
        self.amount = amount
        self.period = period
    }
}

/// Sets what a model costs from a day on, per million tokens. Errors: `invalid_argument`.
public struct SetPrice: Operation {
    /// The name on the wire.
    public static let name = "prices.set"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// What it answers with.
    public typealias Result = Done

    /// The model's name.
    public var model: String
    /// The day in UTC, as `2026-01-31`.
    public var since: String
    /// Tokens sent.
    public var input: Double
    /// Tokens sent that the provider has in its cache.
    public var cached: Double
    /// Tokens received.
    public var output: Double

    /// The call with its arguments.
    public init(model: String, since: String, input: Double, cached: Double, output: Double) {
        self.model = model
        self.since = since
        self.input = input
        self.cached = cached
        self.output = output
    }
}

/// What runs have used and cost, by run, agent, reader, channel, day or model; the dearest first.
public struct ListCosts: Operation {
    /// The name on the wire.
    public static let name = "costs.list"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]

    /// What is summed by.
    public enum Key: String, Codable, Sendable, CaseIterable {
        case run, agent, reader, channel, day, model
    }

    /// At most 1000 sums.
    public struct Result: Codable, Sendable {
        /// One sum.
        public struct Line: Codable, Sendable, Equatable {
            /// The run, agent, … or null where there is none.
            public var key: String?
            /// Calls of models.
            public var requests: Int
            /// Tokens sent.
            public var inputTokens: Int
            /// Tokens received.
            public var outputTokens: Int
            /// In US dollars, by the prices of their day.
            public var cost: Double
            /// Calls of which nobody knows what they cost: it is not in the sum.
            public var unpriced: Int

            enum CodingKeys: String, CodingKey {
                case key, requests
                case inputTokens = "input_tokens"
                case outputTokens = "output_tokens"
                case cost, unpriced
            }
        }

        /// The sums.
        public var costs: [Line]
    }

    /// What is summed by.
    public var by: Key
    /// Only of the last days, 1 to 36,500.
    public var days: Int

    /// The call with its arguments.
    public init(by: Key, days: Int = 30) {
        self.by = by
        self.days = days
    }
}
