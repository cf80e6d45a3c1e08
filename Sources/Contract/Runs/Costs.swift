/// Sets how much may be spent, or takes that away. Errors: `invalid_argument`; `not_found` when there is nothing to take away.
public struct SetBudget: Operation {
    /// The name on the wire.
    public static let name = "budgets.set"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// What it answers with.
    public typealias Result = Done
    /// More than anybody spends, and exact in every language's numbers.
    public static let most = 1e15

    /// What a budget is counted in.
    public enum Unit: String, Choice {
        case requests
        case toolCalls = "tool_calls"
        case tokens, money
    }

    /// When it begins anew.
    public enum Period: String, Choice {
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
    /// What is counted; it may be left out where the budget is taken away.
    public var unit: Unit?
    /// How much, of all units but money a whole number; null takes the budget away.
    public var amount: Double?
    /// In each of these, in UTC; null for ever.
    public var period: Period?

    /// The call with its arguments.
    public init(name: String, unit: Unit? = nil, amount: Double? = nil, period: Period? = nil) {
        self.name = name
        self.unit = unit
        self.amount = amount
        self.period = period
    }
}

/// Sets what a model costs from a day on, per million tokens, or takes that back: then what was set for an earlier day counts, or what the
/// agent runner says. Errors: `invalid_argument`; `not_found` when there is none to take back.
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
    /// Tokens sent; null, as the others, takes the price back.
    public var input: Double?
    /// Tokens sent that the provider has in its cache.
    public var cached: Double?
    /// Tokens received.
    public var output: Double?

    /// The call with its arguments.
    public init(
        model: String,
        since: String,
        input: Double? = nil,
        cached: Double? = nil,
        output: Double? = nil
    ) {
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
    public enum Key: String, Choice {
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
