extension KnownModel {
    /// Prices by provider and model, from the providers' own pages on the day each says, for the usual service and a cache of
    /// five minutes.
    static let prices: [String: [String: Price]] = [
        "openai": [
            "gpt-4.1": openAI(2_000_000, 500_000, 8_000_000),
            "gpt-4.1-mini": openAI(400_000, 100_000, 1_600_000),
            "gpt-4.1-nano": openAI(100_000, 25_000, 400_000),
            "gpt-4o": openAI(2_500_000, 1_250_000, 10_000_000),
            "gpt-4o-mini": openAI(150_000, 75_000, 600_000),
            "gpt-5": openAI(1_250_000, 125_000, 10_000_000),
            "gpt-5-mini": openAI(250_000, 25_000, 2_000_000),
            "gpt-5-nano": openAI(50_000, 5_000, 400_000),
            "gpt-5.1": openAI(1_250_000, 125_000, 10_000_000),
            "gpt-5.2": openAI(1_750_000, 175_000, 14_000_000),
            "gpt-5.4": openAI(2_500_000, 250_000, 15_000_000),
            "gpt-5.4-mini": openAI(750_000, 75_000, 4_500_000),
            "o3": openAI(2_000_000, 500_000, 8_000_000),
            "o4-mini": openAI(1_100_000, 275_000, 4_400_000),
            "text-embedding-3-large": openAI(130_000, 130_000, 0),
            "text-embedding-3-small": openAI(20_000, 20_000, 0),
        ],
        "anthropic": [
            "claude-3-5-haiku": anthropic(800_000, 4_000_000),
            "claude-haiku-4-5": anthropic(1_000_000, 5_000_000),
            "claude-opus-4-1": anthropic(15_000_000, 75_000_000),
            "claude-opus-4-5": anthropic(5_000_000, 25_000_000),
            "claude-opus-4-6": anthropic(5_000_000, 25_000_000),
            "claude-opus-4-7": anthropic(5_000_000, 25_000_000),
            "claude-opus-4-8": anthropic(5_000_000, 25_000_000),
            "claude-opus-5": anthropic(5_000_000, 25_000_000),
            "claude-sonnet-4": anthropic(3_000_000, 15_000_000),
            "claude-sonnet-4-5": anthropic(3_000_000, 15_000_000),
            "claude-sonnet-4-6": anthropic(3_000_000, 15_000_000),
            "claude-sonnet-5": anthropic(2_000_000, 10_000_000),
        ],
    ]

    private static func openAI(_ input: Int, _ cached: Int, _ output: Int) -> Price {
        Price(input: input, cachedInput: cached, output: output, asOf: "2026-11-05")
    }

    /// A tenth for what is in the cache, and a quarter more for what is put there.
    private static func anthropic(_ input: Int, _ output: Int) -> Price {
        Price(input: input, cachedInput: input / 10, cacheWrite: input / 4 * 5, output: output, asOf: "2026-10-10")
    }
}
