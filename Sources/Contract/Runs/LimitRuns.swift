/// Limits the runs of an agent, over all hosts; what is left out is not limited. It counts for runs that are given out from the
/// queue, not for those a reader waits for. Errors: `invalid_argument`.
public struct LimitRuns: Operation {
    /// The name on the wire.
    public static let name = "runs.limit"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// What it answers with.
    public typealias Result = Done
    /// More than all runners of all hosts carry out at a time.
    public static let mostConcurrent = 1_000_000
    /// As often as they may begin: when each did is kept, and looked at by every claim.
    public static let mostStarts = 10_000
    /// The longest time that starts are counted over: a day.
    public static let longestSeconds = 86_400

    /// The agent's name.
    public var agent: String
    /// So many at a time; 0 holds them all.
    public var concurrent: Int?
    /// So many begun…
    public var starts: Int?
    /// … in any time of this length.
    public var seconds: Int?

    /// The call with its arguments.
    public init(agent: String, concurrent: Int? = nil, starts: Int? = nil, seconds: Int? = nil) {
        self.agent = agent
        self.concurrent = concurrent
        self.starts = starts
        self.seconds = seconds
    }
}

/// A provider asked to be left alone: until that time is over, no run whose agent asks it is given out, on any host. A time
/// that ends later than this one stays.
public struct HoldProvider: Operation {
    /// The name on the wire.
    public static let name = "runs.hold"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.agentRunner, .admin]
    /// What it answers with.
    public typealias Result = Done
    /// The longest time: an hour. Whoever needs more asks again.
    public static let longestMilliseconds = 3_600_000

    /// The provider, as the offers of `runs.claim` name it.
    public var provider: String
    /// For how long.
    public var milliseconds: Int

    enum CodingKeys: String, CodingKey {
        case provider
        case milliseconds = "ms"
    }

    /// The call with its arguments.
    public init(provider: String, milliseconds: Int) {
        self.provider = provider
        self.milliseconds = milliseconds
    }
}
