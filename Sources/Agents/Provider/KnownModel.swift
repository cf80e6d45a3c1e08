/// What is known beforehand of a provider's models: data, so that no code asks for a name.
///
/// Capabilities count for all names that begin alike (`gpt-5` for `gpt-5-mini` too, the longest beginning wins); a price only
/// for one name, with or without the date behind it (`gpt-5-mini-2025-08-07`). What is missing or wrong here can be given
/// where a model is made.
public struct KnownModel: Sendable, Hashable {
    /// The provider's name; models of compatible servers elsewhere are known by their own names too.
    public let provider: String
    /// What the names begin with.
    public let beginning: String
    /// What they can do.
    public let capabilities: ModelCapabilities

    /// What is known of a model.
    ///
    /// - Parameter isAtHome: Whether it is asked at its provider's own address, where also an unknown name is one of theirs.
    static func named(_ name: String, of provider: String, isAtHome: Bool) -> (
        capabilities: ModelCapabilities, price: Price?
    ) {
        let family = families[provider] ?? provider
        let known =
            all.filter { $0.provider == family && name.hasPrefix($0.beginning) && (isAtHome || !$0.beginning.isEmpty) }
            .max { $0.beginning.count < $1.beginning.count }
        return (known?.capabilities ?? ModelCapabilities(), prices[family]?[withoutDate(name)])
    }

    /// Providers that serve the same models under another API.
    private static let families = ["openai-responses": "openai"]

    /// `-2025-08-07`, `-20250929` and `-latest` at the end say which edition, not which model.
    static func withoutDate(_ name: String) -> String {
        var parts = name.split(separator: "-", omittingEmptySubsequences: false)
        if parts.last == "latest" { parts.removeLast() }
        func isNumber(_ part: Substring, _ length: Int) -> Bool {
            part.utf8.count == length && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
        }
        if let last = parts.last, isNumber(last, 8) {
            parts.removeLast()
        } else if parts.count > 3, isNumber(parts[parts.count - 3], 4), isNumber(parts[parts.count - 2], 2),
            isNumber(parts[parts.count - 1], 2)
        {
            parts.removeLast(3)
        }
        return parts.joined(separator: "-")
    }

    // MARK: Capabilities

    /// Read from the providers' documentation in November 2026.
    static let all: [KnownModel] = openAI + anthropic + others

    private static let openAI: [KnownModel] = [
        KnownModel("openai", "", ModelCapabilities(tokenLimit: .new, outputTokens: 16_384)),
        KnownModel("openai", "gpt-4.1", ModelCapabilities(tokenLimit: .new, outputTokens: 32_768)),
        KnownModel("openai", "gpt-4o", ModelCapabilities(tokenLimit: .new, outputTokens: 16_384)),
        KnownModel("openai", "gpt-5", thinker(least: "minimal")),
        KnownModel("openai", "gpt-5.", thinker(least: "none")),
        KnownModel("openai", "gpt-6", thinker(least: "none")),
        KnownModel("openai", "o1", thinker(least: "low")),
        KnownModel("openai", "o3", thinker(least: "low")),
        KnownModel("openai", "o4", thinker(least: "low")),
    ]

    private static func thinker(least: String) -> ModelCapabilities {
        ModelCapabilities(
            thinking: .effort,
            leastEffort: least,
            sampling: false,
            tokenLimit: .new,
            outputTokens: 128_000
        )
    }

    /// The newest decide themselves how much to think, and take no temperature; unknown names are taken for newer still.
    private static let anthropic: [KnownModel] =
        [KnownModel("anthropic", "", claude(.adaptive, sampling: false))]
        + ["claude-3"].map { KnownModel("anthropic", $0, claude(.none, native: false, outputTokens: 4096)) }
        + ["claude-3-7", "claude-opus-4-0", "claude-opus-4-2", "claude-sonnet-4-0", "claude-sonnet-4-2"]
        .map { KnownModel("anthropic", $0, claude(.budget, native: false)) }
        + ["claude-opus-4-1", "claude-opus-4-5", "claude-sonnet-4-5", "claude-haiku-4-5"]
        .map { KnownModel("anthropic", $0, claude(.budget)) }
        + ["claude-opus-4-6", "claude-sonnet-4-6"].map { KnownModel("anthropic", $0, claude(.adaptive)) }

    private static func claude(
        _ thinking: ModelCapabilities.ThinkingControl,
        native: Bool = true,
        sampling: Bool = true,
        outputTokens: Int = 16_384
    ) -> ModelCapabilities {
        ModelCapabilities(
            nativeSchema: native,
            json: false,
            thinking: thinking,
            sampling: sampling,
            outputTokens: outputTokens
        )
    }

    private static let others: [KnownModel] = [
        KnownModel("deepseek", "", ModelCapabilities(nativeSchema: false, images: false)),
        KnownModel("groq", "", ModelCapabilities(nativeSchema: false)),
        KnownModel("mistral", "", ModelCapabilities()),
    ]

    private init(_ provider: String, _ beginning: String, _ capabilities: ModelCapabilities) {
        self.provider = provider
        self.beginning = beginning
        self.capabilities = capabilities
    }
}
