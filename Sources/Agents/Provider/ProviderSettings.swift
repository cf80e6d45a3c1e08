public import AsyncHTTPClient
public import Logging

/// How a provider is asked: the same for all its models.
public struct ProviderSettings: Sendable {
    /// How long a request may take, phase by phase.
    public var timeouts: ProviderTimeouts
    /// How often a request that failed is made again.
    public var retries: Int
    /// How long is waited before that, where the provider says when; one that wants more fails the call at once.
    public var longestPause = Duration.seconds(30)
    /// Whether answers are asked for as they are written. A server that cannot stream with tools wants them at once; the answer
    /// is the same.
    public var streams: Bool
    /// Set up as `HTTPClient.Configuration.agents()`; who made it shuts it down, after the last run.
    public var client: HTTPClient
    /// Leaves a model alone that fails again and again, and the provider when it asks for that. To be shared by all its models.
    public var breaker: CircuitBreaker
    /// How many calls there are at once; nil for any number. To be shared like the breaker.
    public var callLimit: CallLimit?
    /// Keeps exchanges, or plays them back without the network.
    public var cassette: Cassette?
    /// Requests are logged at `debug`; never what is said, never a key.
    public var logger: Logger

    /// Settings.
    public init(
        timeouts: ProviderTimeouts = ProviderTimeouts(),
        retries: Int = 2,
        streams: Bool = true,
        client: HTTPClient = .agents,
        breaker: CircuitBreaker = CircuitBreaker(),
        callLimit: CallLimit? = nil,
        cassette: Cassette? = nil,
        logger: Logger = Logger(label: "agents")
    ) {
        self.timeouts = timeouts
        self.retries = retries
        self.streams = streams
        self.client = client
        self.breaker = breaker
        self.callLimit = callLimit
        self.cassette = cassette
        self.logger = logger
    }
}
