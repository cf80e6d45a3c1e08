/// A model behind OpenAI's Chat Completions API, or any provider that speaks it: vLLM, Ollama, llama.cpp, OpenRouter, …
///
/// ```swift
/// let model = try OpenAIChatModel("qwen3", baseURL: "http://127.0.0.1:11434/v1")
/// ```
///
/// Answers are streamed ([reference](https://platform.openai.com/docs/api-reference/chat-streaming)); a provider that does
/// not stream although asked is understood too. Requests that fail before anything of an answer came are made again, twice,
/// on connect errors and the statuses 408, 409, 429 and 5xx, after a pause the provider may set.
///
/// Limits: 16 MiB an answer, 1 MiB an event of it, 128 tool calls, 64 KiB of an error's body.
public struct OpenAIChatModel: Model {
    /// The model's name at the provider.
    public let name: String
    /// Who serves it.
    public let provider: String
    /// What it can do.
    public let capabilities: ModelCapabilities
    /// What it costs, where that is known.
    public let price: Price?
    private let link: ProviderLink

    /// A model at a provider. Nothing is sent yet.
    ///
    /// - Parameters:
    ///   - name: The model's name at the provider.
    ///   - provider: What people call the provider.
    ///   - baseURL: What comes before `/chat/completions`. `http` is for servers of your own: with a key it is refused
    ///     unless the host is this machine or in a private network, because the key would be readable on the way.
    ///   - key: Sent as a bearer token; white space around it is dropped.
    ///   - capabilities: What it can do, where that is not known (``KnownModel``) or known wrongly.
    ///   - price: What it costs, likewise.
    ///   - settings: How the provider is asked.
    /// - Throws: ``AgentError/Code/misconfigured``.
    public init(
        _ name: String,
        provider: String = "openai",
        baseURL: String = "https://api.openai.com/v1",
        key: String? = nil,
        capabilities: ModelCapabilities? = nil,
        price: Price? = nil,
        settings: ProviderSettings = ProviderSettings()
    ) throws(AgentError) {
        let link = try ProviderLink(
            to: ServedModel(name: name, provider: provider),
            baseURL: baseURL,
            key: key,
            settings: settings
        )
        let known = KnownModel.named(name, of: provider, isAtHome: link.isOpenAI || provider != "openai")
        self.name = name
        self.provider = provider
        self.capabilities = capabilities ?? known.capabilities
        self.price = price ?? known.price
        self.link = link
    }

    /// Throws while the model is left alone, or its provider.
    public func check() throws(AgentError) { try link.check() }

    /// Those that wait at the provider.
    public var callsAhead: Int { link.callsAhead }

    /// Asks the provider.
    public func respond(
        to request: ModelRequest,
        emit: @escaping @Sendable (ModelEvent) async throws -> Void
    ) async throws {
        try request.check(capabilities, name)
        let body = ChatRequestBody.json(request, model: name, capabilities: capabilities, streams: link.streams)
        let (secret, price) = (link.secret, price)
        try await link.post(
            "/chat/completions",
            body,
            decoder: { BodyDecoder(ChatAssembler(to: request, secret: secret, price: price)) },
            emit: emit
        )
    }
}

/// Shows the name and the address. The client is left out because it holds the requests that are under way, and these
/// their keys.
extension OpenAIChatModel: CustomStringConvertible, CustomReflectable {
    /// The name and the address.
    public var description: String { "\(name) at \(link.base)" }
    /// The name and the address.
    public var customMirror: Mirror { Mirror(self, children: ["name": name, "url": link.base]) }
}
