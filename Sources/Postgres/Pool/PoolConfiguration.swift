/// The limits of a pool.
public struct PoolConfiguration: Sendable, Hashable {
    /// Connections at most. Postgres does not become faster by more than about twice its cores, and each costs it a
    /// process.
    public var size = 5
    /// Tasks waiting at most; the next one is refused at once. Whoever would wait behind this many is better told to
    /// come again.
    public var maximumWaiters = 256
    /// How long a task waits at most, if its own deadline is not earlier.
    public var maximumWait: Duration = .seconds(2)
    /// When a connection is replaced, give or take a tenth: a backend's memory grows with what it has cached, and a
    /// changed server setting or role reaches only new sessions.
    public var maximumLifetime: Duration = .seconds(30 * 60)
    /// The pause after the first failure to connect; it doubles with each.
    public var shortestPause: Duration = .milliseconds(100)
    /// The longest pause, and so about how long the pool takes to notice that Postgres is back.
    public var longestPause: Duration = .seconds(5)

    /// Connections for `read` besides those of `size`, opened at the first read; at most 4, and 0 to run reads on the
    /// others. Two keep a server of two cores busy.
    public var readConnections = 2
    /// Reads waiting at most; the next one is refused at once. One costs about a kilobyte while it waits, and this many
    /// are served within a second.
    public var maximumWaitingReads = 10_000
    /// How long a statement of `read` may take among others: they wait for it.
    public var slowRead: Duration = .milliseconds(100)

    /// One connection already carries tens of thousands of reads a second.
    static let maximumReadConnections = 4

    /// The limits given here.
    public init() {}
}

/// A pool at one moment.
public struct PoolStatus: Sendable, Hashable {
    /// Whether Postgres can be reached.
    public enum State: String, Sendable, Hashable {
        /// Nothing has been tried yet.
        case starting
        case up
        case down
    }

    /// Whether Postgres can be reached.
    public let state: State
    /// Connections that are open.
    public let open: Int
    /// Those that can be lent now.
    public let idle: Int
    /// Those that are lent.
    public let busy: Int
    /// Tasks that wait for one.
    public let waiting: Int
    /// Why the last connection could not be opened, in words without data; nil after a success.
    public let lastError: String?
}
