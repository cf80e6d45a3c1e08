/// A model behind OpenAI's Responses API, or a server that speaks it (Open Responses).
///
/// Nothing is kept at the provider: each request brings the whole conversation. Retries, timeouts and limits are those of
/// ``OpenAIChatModel``.
public struct OpenAIResponsesModel: Model {
    /// The model's name at the provider.
    public let name: String
    /// Who serves it.
    public let provider: String
    /// What it can do.
    public let capabilities: ModelCapabilities
    /// What it costs, where that is known.
    public let price: Price?
    private let link: ProviderLink

    /// A model at a provider. Nothing is sent yet. The parameters are those of
    /// ``OpenAIChatModel/init(_:provider:baseURL:key:capabilities:price:settings:)``.
    ///
    /// - Throws: ``AgentError/Code/misconfigured``.
    public init(
        _ name: String,
        provider: String = "openai-responses",
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
        let known = KnownModel.named(name, of: provider, isAtHome: link.isOpenAI)
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
        let body = ResponsesRequestBody.json(request, model: name, capabilities: capabilities, streams: link.streams)
        let (secret, price) = (link.secret, price)
        try await link.post(
            "/responses",
            body,
            decoder: { BodyDecoder(ResponsesAssembler(secret: secret, price: price)) },
            emit: emit
        )
    }
}

/// Shows the name and the address, and no key.
extension OpenAIResponsesModel: CustomStringConvertible, CustomReflectable {
    /// The name and the address.
    public var description: String { "\(name) at \(link.base)" }
    /// The name and the address.
    public var customMirror: Mirror { Mirror(self, children: ["name": name, "url": link.base]) }
}
