/// What a model can do, as data: a request asks for no more than this, and nothing in the code asks for a model's name.
public struct ModelCapabilities: Sendable, Hashable, Codable {
    /// It can be given tools.
    public var tools: Bool
    /// It can be made to call one (``ToolChoice/required``).
    public var requiredTools: Bool
    /// It can be told whether to call several tools at once.
    public var parallelToolCalls: Bool
    /// Its provider can hold it to a JSON Schema.
    public var nativeSchema: Bool
    /// Its provider can hold it to JSON.
    public var json: Bool
    /// It sees pictures.
    public var images: Bool
    /// How it is told to think.
    public var thinking: ThinkingControl
    /// The word for the least thinking, where it takes words.
    public var leastEffort: String
    /// It takes a temperature and the like.
    public var sampling: Bool
    /// What the limit on an answer's tokens is called in Chat Completions.
    public var tokenLimit: TokenLimitName
    /// The most tokens of one answer, where the provider wants to be told.
    public var outputTokens: Int

    /// How a model is told to think.
    public enum ThinkingControl: String, Sendable, Hashable, Codable {
        /// It does not think, or cannot be told to.
        case none
        /// By a word: low, medium, high.
        case effort
        /// By a number of tokens.
        case budget
        /// It decides itself once it is allowed to, and takes a word.
        case adaptive
    }

    /// OpenAI's newer models refuse the old name, most others know only that.
    public enum TokenLimitName: String, Sendable, Hashable, Codable {
        /// `max_tokens`
        case old = "max_tokens"
        /// `max_completion_tokens`
        case new = "max_completion_tokens"
    }

    /// What most models can.
    public init(
        tools: Bool = true,
        requiredTools: Bool = true,
        parallelToolCalls: Bool = true,
        nativeSchema: Bool = true,
        json: Bool = true,
        images: Bool = true,
        thinking: ThinkingControl = .none,
        leastEffort: String = "minimal",
        sampling: Bool = true,
        tokenLimit: TokenLimitName = .old,
        outputTokens: Int = 8192
    ) {
        self.tools = tools
        self.requiredTools = requiredTools
        self.parallelToolCalls = parallelToolCalls
        self.nativeSchema = nativeSchema
        self.json = json
        self.images = images
        self.thinking = thinking
        self.leastEffort = leastEffort
        self.sampling = sampling
        self.tokenLimit = tokenLimit
        self.outputTokens = outputTokens
    }

    /// What both can: what a request may ask for that either of them may get.
    func common(with other: ModelCapabilities) -> ModelCapabilities {
        ModelCapabilities(
            tools: tools && other.tools,
            requiredTools: requiredTools && other.requiredTools,
            parallelToolCalls: parallelToolCalls && other.parallelToolCalls,
            nativeSchema: nativeSchema && other.nativeSchema,
            json: json && other.json,
            images: images && other.images,
            thinking: thinking,
            leastEffort: leastEffort,
            sampling: sampling && other.sampling,
            tokenLimit: tokenLimit,
            outputTokens: min(outputTokens, other.outputTokens)
        )
    }
}
