/// What administrators have set: budgets with what is used of them, limits, prices, conducts and rules about approvals; at most 1000 of
/// each, by name.
public struct ListRules: Operation {
    /// The name on the wire.
    public static let name = "rules.list"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// It changes nothing.
    public static let effect = Effect.reads

    /// Each as the call that would set it anew.
    public struct Result: Codable, Sendable {
        /// How much may be spent.
        public var budgets: [Budget]
        /// How many runs of an agent are given out.
        public var limits: [LimitRuns]
        /// What models cost, as far as it was set: the agent runner knows the prices of well-known ones.
        public var prices: [SetPrice]
        /// What agents do about a text that comes too early.
        public var conducts: [Conduct]
        /// Which tools a person approves.
        public var approvals: [RequireApproval]
    }

    /// A budget as it stands.
    public struct Budget: Codable, Sendable {
        /// What was set.
        public var budget: SetBudget
        /// How much of it is used in the period that is under way.
        public var used: Double
        /// When it begins anew, as RFC 3339; left out where it never does.
        public var until: String?
    }

    /// A conduct.
    public struct Conduct: Codable, Sendable {
        /// What is done.
        public var conduct: SetConduct
        /// Whether it is the agent's file that says so; what was set wins.
        public var isOfFile: Bool

        enum CodingKeys: String, CodingKey {
            case conduct
            case isOfFile = "of_file"
        }
    }

    /// The call; it takes no arguments.
    public init() {}
}
