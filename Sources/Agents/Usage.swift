/// Tokens that were paid for.
public struct Usage: Sendable, Hashable, Codable {
    /// Tokens sent to the model, those read from and written to its cache included.
    public var inputTokens: Int
    /// Of the input, those the provider had in its cache.
    public var cachedInputTokens: Int
    /// Of the input, those the provider put into its cache, for which some charge more.
    public var cacheWriteTokens: Int
    /// Tokens the model wrote, those of its thinking included.
    public var outputTokens: Int
    /// Of the output, those of its thinking, where the provider says.
    public var thinkingTokens: Int
    /// What it cost, in millionths of a US dollar; nil when nobody knows the price.
    public var microdollars: Int?
    /// True where some of it is estimated, since the provider did not count; nil otherwise.
    public var estimated: Bool?

    /// Input and output together.
    public var totalTokens: Int { Self.sum(inputTokens, outputTokens) }

    /// Counts below nought, which a provider may claim, are taken as nought.
    public init(
        inputTokens: Int = 0,
        cachedInputTokens: Int = 0,
        cacheWriteTokens: Int = 0,
        outputTokens: Int = 0,
        thinkingTokens: Int = 0,
        microdollars: Int? = nil,
        estimated: Bool? = nil
    ) {
        self.inputTokens = max(0, inputTokens)
        self.cachedInputTokens = max(0, cachedInputTokens)
        self.cacheWriteTokens = max(0, cacheWriteTokens)
        self.outputTokens = max(0, outputTokens)
        self.thinkingTokens = max(0, thinkingTokens)
        self.microdollars = microdollars.map { max(0, $0) }
        self.estimated = estimated
    }

    /// The sum of both. It stops at `Int.max` and does not trap: the counts come from outside. A sum with something of
    /// unknown cost has unknown cost.
    public static func + (left: Usage, right: Usage) -> Usage {
        Usage(
            inputTokens: sum(left.inputTokens, right.inputTokens),
            cachedInputTokens: sum(left.cachedInputTokens, right.cachedInputTokens),
            cacheWriteTokens: sum(left.cacheWriteTokens, right.cacheWriteTokens),
            outputTokens: sum(left.outputTokens, right.outputTokens),
            thinkingTokens: sum(left.thinkingTokens, right.thinkingTokens),
            microdollars: cost(left, right),
            estimated: left.estimated == true || right.estimated == true ? true : nil
        )
    }

    /// Adds `right` to `left`.
    public static func += (left: inout Usage, right: Usage) {
        left = left + right
    }

    private static func sum(_ left: Int, _ right: Int) -> Int {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? .max : sum
    }

    private static func cost(_ left: Usage, _ right: Usage) -> Int? {
        // Nothing used costs nothing, whoever would have been paid.
        if left.microdollars == nil, left.totalTokens == 0 { return right.microdollars }
        if right.microdollars == nil, right.totalTokens == 0 { return left.microdollars }
        guard let first = left.microdollars, let second = right.microdollars else { return nil }
        return sum(first, second)
    }
}

/// Why a model stopped writing.
public enum FinishReason: String, Sendable, Hashable, Codable {
    /// It had said all.
    case stop
    /// It ran into the token limit: the text is incomplete.
    case length
    /// It waits for the results of its tool calls.
    case toolCalls
    /// The provider withheld the rest, or the model refused.
    case contentFilter
    /// Something this library has no word for.
    case other
}
