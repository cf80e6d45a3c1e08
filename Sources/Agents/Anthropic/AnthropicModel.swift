import NIOHTTP1

/// A model behind Anthropic's Messages API, or a server that speaks it.
///
/// The beginning of a conversation is marked for the provider's cache unless ``ModelOptions/promptCache`` is off. Retries,
/// timeouts and limits are those of ``OpenAIChatModel``.
public struct AnthropicModel: Model {
    /// The model's name at the provider.
    public let name: String
    /// Who serves it.
    public let provider: String
    /// What it can do.
    public let capabilities: ModelCapabilities
    /// What it costs, where that is known.
    public let price: Price?
    private let link: ProviderLink

    /// The edition of the API that is spoken.
    private static let version = "2023-06-01"

    /// A model at a provider. Nothing is sent yet. The parameters are those of
    /// ``OpenAIChatModel/init(_:provider:baseURL:key:capabilities:price:settings:)``; the key is sent as `x-api-key`.
    ///
    /// - Throws: ``AgentError/Code/misconfigured``.
    public init(
        _ name: String,
        provider: String = "anthropic",
        baseURL: String = "https://api.anthropic.com/v1",
        key: String? = nil,
        capabilities: ModelCapabilities? = nil,
        price: Price? = nil,
        settings: ProviderSettings = ProviderSettings()
    ) throws(AgentError) {
        let known = KnownModel.named(name, of: provider, isAtHome: true)
        self.link = try ProviderLink(
            to: ServedModel(name: name, provider: provider),
            baseURL: baseURL,
            key: key,
            keyHeader: .apiKey,
            settings: settings
        )
        self.name = name
        self.provider = provider
        self.capabilities = capabilities ?? known.capabilities
        self.price = price ?? known.price
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
        let body = MessagesRequestBody.json(request, model: name, capabilities: capabilities, streams: link.streams)
        let (conversation, secret, price) = (request.messages.count, link.secret, price)
        try await link.post(
            "/messages",
            body,
            headers: ["anthropic-version": Self.version],
            decoder: { BodyDecoder(MessagesAssembler(conversation: conversation, secret: secret, price: price)) },
            emit: emit
        )
    }
}

/// Shows the name and the address, and no key.
extension AnthropicModel: CustomStringConvertible, CustomReflectable {
    /// The name and the address.
    public var description: String { "\(name) at \(link.base)" }
    /// The name and the address.
    public var customMirror: Mirror { Mirror(self, children: ["name": name, "url": link.base]) }
}
