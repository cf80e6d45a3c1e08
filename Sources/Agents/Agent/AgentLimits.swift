/// Where a run ends although the model would go on. Each is per run and has its reason.
public struct AgentLimits: Sendable, Hashable {
    /// Requests to the model. A model that needs more than a dozen steps is almost always going in circles.
    public var requests: Int
    /// Tool calls in all. Calls over it are not begun, not even those that would still fit: half an answer's calls are no use.
    public var toolCalls: Int
    /// Tokens in all. Checked before every further request: an answer already paid for is given. It cannot act when the
    /// provider does not say its usage. A million is a loop, not a long question.
    public var totalTokens: Int
    /// Money in all, in millionths of a US dollar, checked as tokens are. A run of a model whose price is not known ends at
    /// once when this is set, for it could not be held to it.
    public var microdollars: Int?
    /// Time in all, waiting for the reader of the events included.
    public var wallClock: Duration
    /// Of this time, what is over already: earlier attempts at the same run have taken it.
    public var wallClockSpent: Duration
    /// UTF-8 bytes of one tool result; a longer one is not given to the model, which is told so. A quarter of a mebibyte
    /// is about 60,000 tokens, more than one result should cost.
    public var toolResultBytes: Int
    /// How often in a row the model may call one tool wrongly and try again: with arguments that cannot be used, or by a name
    /// that does not exist. What is not understood after three times will not be.
    public var toolRetries: Int
    /// How often in all an output that is wrong goes back to the model.
    public var outputRetries: Int

    /// Limits.
    public init(
        requests: Int = 12,
        toolCalls: Int = 32,
        totalTokens: Int = 1_000_000,
        microdollars: Int? = nil,
        wallClock: Duration = .seconds(900),
        wallClockSpent: Duration = .zero,
        toolResultBytes: Int = 256 * 1024,
        toolRetries: Int = 3,
        outputRetries: Int = 2
    ) {
        self.requests = requests
        self.toolCalls = toolCalls
        self.totalTokens = totalTokens
        self.microdollars = microdollars
        self.wallClock = wallClock
        self.wallClockSpent = wallClockSpent
        self.toolResultBytes = toolResultBytes
        self.toolRetries = toolRetries
        self.outputRetries = outputRetries
    }
}
