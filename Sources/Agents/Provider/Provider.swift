/// Where models are served, and which API is spoken there.
public struct Provider: Sendable, Hashable, Codable {
    /// How a provider is spoken to.
    public enum API: String, Sendable, Hashable, Codable {
        /// OpenAI's Chat Completions, which most servers speak.
        case chat
        /// OpenAI's Responses.
        case responses
        /// Anthropic's Messages.
        case messages
    }

    /// What stands before the colon of a model's name: lower-case letters, digits and `-`.
    public var name: String
    /// How it is spoken to.
    public var api: API
    /// Its address.
    public var baseURL: String
    /// The environment variable its key is usually kept in; nil where none is needed.
    public var keyVariable: String?
    /// How many calls its address is sent at once, whatever the model; further ones wait for their turn (``CallLimit``). Nil for any number.
    public var calls: Int?

    /// A provider.
    public init(
        _ name: String,
        _ api: API = .chat,
        baseURL: String,
        keyVariable: String? = nil,
        calls: Int? = nil
    ) {
        self.name = name
        self.api = api
        self.baseURL = baseURL
        self.keyVariable = keyVariable
        self.calls = calls
    }

    /// The providers known by name.
    public static let known: [Provider] = [
        Provider("anthropic", .messages, baseURL: "https://api.anthropic.com/v1", keyVariable: "ANTHROPIC_API_KEY"),
        Provider("deepseek", baseURL: "https://api.deepseek.com/v1", keyVariable: "DEEPSEEK_API_KEY"),
        Provider(
            "gemini",
            baseURL: "https://generativelanguage.googleapis.com/v1beta/openai",
            keyVariable: "GEMINI_API_KEY"
        ),
        Provider("groq", baseURL: "https://api.groq.com/openai/v1", keyVariable: "GROQ_API_KEY"),
        Provider("llama.cpp", baseURL: "http://127.0.0.1:8080/v1"),
        Provider("mistral", baseURL: "https://api.mistral.ai/v1", keyVariable: "MISTRAL_API_KEY"),
        Provider("ollama", baseURL: "http://127.0.0.1:11434/v1"),
        Provider("openai", baseURL: "https://api.openai.com/v1", keyVariable: "OPENAI_API_KEY"),
        Provider("openai-responses", .responses, baseURL: "https://api.openai.com/v1", keyVariable: "OPENAI_API_KEY"),
        Provider("openrouter", baseURL: "https://openrouter.ai/api/v1", keyVariable: "OPENROUTER_API_KEY"),
        Provider("vllm", baseURL: "http://127.0.0.1:8000/v1"),
        Provider("xai", baseURL: "https://api.x.ai/v1", keyVariable: "XAI_API_KEY"),
    ]
}
