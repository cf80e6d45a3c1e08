/// Tokens that were paid for.
public struct Usage: Sendable, Hashable, Codable {
    /// Tokens sent to the model, those from its cache included.
    public var inputTokens: Int
    /// Of the input, those the provider had in its cache.
    public var cachedInputTokens: Int
    /// Tokens the model wrote, those of its reasoning included.
    public var outputTokens: Int

    /// Input and output together.
    public var totalTokens: Int { Self.sum(inputTokens, outputTokens) }

    /// Counts below nought, which a provider may claim, are taken as nought.
    public init(inputTokens: Int = 0, cachedInputTokens: Int = 0, outputTokens: Int = 0) {
        self.inputTokens = max(0, inputTokens)
        self.cachedInputTokens = max(0, cachedInputTokens)
        self.outputTokens = max(0, outputTokens)
    }

    /// The sum of both. It stops at `Int.max` and does not trap: the counts come from outside.
    public static func + (left: Usage, right: Usage) -> Usage {
        Usage(
            inputTokens: sum(left.inputTokens, right.inputTokens),
            cachedInputTokens: sum(left.cachedInputTokens, right.cachedInputTokens),
            outputTokens: sum(left.outputTokens, right.outputTokens)
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
}

/// Why a model stopped writing.
public enum FinishReason: String, Sendable, Hashable, Codable {
    /// It had said all.
    case stop
    /// It ran into the token limit: the text is incomplete.
    case length
    /// It waits for the results of its tool calls.
    case toolCalls
    /// The provider withheld the rest.
    case contentFilter
    /// Something this library has no word for.
    case other
}
