/// What a million tokens of a model cost, in millionths of a US dollar, on a certain day. Data: providers change prices as
/// they like, so a price says when it was read.
public struct Price: Sendable, Hashable, Codable {
    /// Tokens of the input.
    public var input: Int
    /// Tokens of the input that were in the provider's cache.
    public var cachedInput: Int
    /// Tokens of the input that were put into the cache.
    public var cacheWrite: Int
    /// Tokens of the output, thinking included.
    public var output: Int
    /// The day the price was read, `2026-11-05`.
    public var asOf: String

    /// A price in millionths of a dollar for a million tokens: 1_250_000 is $1.25. What is left out costs as much as input.
    public init(input: Int, cachedInput: Int? = nil, cacheWrite: Int? = nil, output: Int, asOf: String) {
        self.input = input
        self.cachedInput = cachedInput ?? input
        self.cacheWrite = cacheWrite ?? input
        self.output = output
        self.asOf = asOf
    }

    /// What this much costs, in millionths of a dollar, rounded up.
    public func microdollars(for usage: Usage) -> Int {
        let cached = min(usage.cachedInputTokens, usage.inputTokens)
        let written = min(usage.cacheWriteTokens, usage.inputTokens - cached)
        let parts = [
            (usage.inputTokens - cached - written, input), (cached, cachedInput), (written, cacheWrite),
            (usage.outputTokens, output),
        ]
        // Counts come from outside and may be absurd, so no product may trap; a Double is exact up to nine billion dollars.
        let sum = parts.reduce(0.0) { $0 + Double($1.0) * Double($1.1) } / 1_000_000
        return Int(exactly: sum.rounded(.up)) ?? .max
    }
}

extension Usage {
    /// With its cost, when the price is known.
    func priced(by price: Price?) -> Usage {
        guard let price else { return self }
        var usage = self
        usage.microdollars = price.microdollars(for: self)
        return usage
    }
}
