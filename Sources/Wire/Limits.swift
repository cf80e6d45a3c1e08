/// What a connection may cost, each number with its reason (`protocol/README.md`, section 6). Everything that grows has
/// its limit here, and it is enforced before memory is spent.
public struct Limits: Sendable, Equatable {
    /// The protocol versions spoken.
    public static let versions = 1...1
    /// Levels of nesting in one payload: nothing of ours needs more, and the scanner's stack stays small.
    public static let nesting = 32
    /// Keys in one object: bounds the hashing that a stranger can ask for.
    public static let keysPerObject = 4096
    /// The largest id: what every language's JSON numbers hold exactly.
    public static let largestID = (1 << 53) - 1
    /// Octets of an idempotency key: a UUID with a name before it fits.
    public static let idempotencyKeyBytes = 128
    /// Octets of a payload that every peer must accept at least, so that an error always fits.
    public static let smallestFrameBytes = 4096
    /// How long a call may take when it does not say.
    public static let usualDeadlineMilliseconds = 30_000
    /// How long a call may take at most; more is taken as this.
    public static let longestDeadlineMilliseconds = 600_000
    /// What each hop takes off the deadline that it passes on, so that the farther one gives up first.
    public static let hopMilliseconds = 50

    /// Octets of a payload: decoding this much takes some 20 ms, a stall for everybody on the connection.
    public var frameBytes = 1_048_576
    /// Octets of the first payload where hello is required: what an unknown peer may cost.
    public var frameBytesBeforeHello = 4096
    /// Calls in flight on a connection; one more is `resource_exhausted`, at once.
    public var callsInFlight = 64
    /// Calls in flight within the scope of one call; they are not counted elsewhere.
    public var callsWithinScope = 32
    /// Calls in flight in a process, over all its connections.
    public var callsInFlightInProcess = 512
    /// Streams open on a connection: with `credit` this bounds the items under way.
    public var streamsOpen = 64
    /// Items a stream may be ahead of its reader.
    public var credit = 256
    /// Connections on one listening socket.
    public var connections = 64
    /// Calls a client holds back while the connection is full or not there; one more is `resource_exhausted`.
    /// Some 2 KB each: ten thousand callers at once are served in turn, and cost 20 MB while they wait.
    public var callsWaiting = 16_384
    /// Octets waiting for a slow reader, after which nothing more is read from it.
    public var outQueueBytes = 4 << 20
    /// How long such a reader may make no progress before it is cut.
    public var stall: Duration = .seconds(10)
    /// From a frame's first octet to its last: slow senders.
    public var frameTime: Duration = .seconds(10)
    /// From connecting to hello, where it is required.
    public var helloTime: Duration = .seconds(5)
    /// Without any frame for so long, a peer is asked with `ping` …
    public var quietBeforePing: Duration = .seconds(20)
    /// … and after so long it is taken for dead.
    public var quietBeforeClose: Duration = .seconds(60)
    /// How long a client keeps its calls waiting while it cannot connect; after that they fail at once until it can. A
    /// restart is over by then, an outage is better told.
    public var patience: Duration = .seconds(2)
    /// How long calls in flight may still take when the service stops: well under systemd's stop timeout.
    public var grace: Duration = .seconds(20)

    /// The limits of protocol version 1.
    public static let standard = Limits()

    /// The limits of protocol version 1, to be changed one by one.
    public init() {}
}
