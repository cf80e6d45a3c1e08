public import AsyncHTTPClient
import FoundationEssentials
public import Logging
import NIOCore
import NIOHTTP1

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
    private let url: String
    private let key: Secret?
    private let tokenLimit: ChatTokenLimit
    private let exchange: ProviderExchange

    /// A model at a provider. Nothing is sent yet.
    ///
    /// - Parameters:
    ///   - name: The model's name at the provider.
    ///   - baseURL: What comes before `/chat/completions`. `http` is for servers of your own: with a key it is refused
    ///     unless the host is this machine or in a private network, because the key would be readable on the way.
    ///   - key: Sent as a bearer token; white space around it is dropped.
    ///   - timeouts: How long a request may take.
    ///   - retries: How often a failed request is made again.
    ///   - client: Set up as `HTTPClient.Configuration.agents()`; who made it shuts it down, after the last run.
    ///   - logger: Requests are logged at `debug`; never what is said, never a key.
    /// - Throws: ``AgentError/Code/misconfigured``.
    public init(
        _ name: String,
        baseURL: String = "https://api.openai.com/v1",
        key: String? = nil,
        timeouts: ProviderTimeouts = ProviderTimeouts(),
        retries: Int = 2,
        client: HTTPClient = .agents,
        logger: Logger = Logger(label: "agents")
    ) throws(AgentError) {
        let secret = try key.map { text throws(AgentError) in
            guard let secret = Secret(text) else {
                throw AgentError(.misconfigured, "The provider's key is empty or has characters no key has.")
            }
            return secret
        }
        let address = try ProviderAddress(baseURL)
        guard secret == nil || address.isSafeForKeys else {
            throw AgentError(.misconfigured, "The key would be sent unencrypted to \(address.host): use https.")
        }
        self.name = name
        self.url = address.base + "/chat/completions"
        self.key = secret
        self.tokenLimit = address.host == "api.openai.com" ? .new : .old
        self.exchange = ProviderExchange(
            client: client,
            timeouts: timeouts,
            policy: RetryPolicy(retries: retries),
            secret: secret,
            logger: logger
        )
    }

    /// Asks the provider.
    public func respond(
        to request: ModelRequest,
        emit: @escaping @Sendable (ModelEvent) async throws -> Void
    ) async throws {
        var http = HTTPClientRequest(url: url)
        http.method = .POST
        http.headers = ["content-type": "application/json", "accept": "text/event-stream"]
        if let key { http.headers.add(name: "authorization", value: "Bearer \(key.reveal())") }
        http.body = .bytes(ByteBuffer(string: ChatRequestBody.text(request, model: name, tokenLimit: tokenLimit)))
        let conversation = request.messages.count
        let secret = key
        try await exchange.send(
            http,
            decoder: { ChatDecoder(conversation: conversation, secret: secret) },
            emit: emit
        )
    }
}

/// Shows the name and the address. The client is left out because it holds the requests that are under way, and these
/// their keys.
extension OpenAIChatModel: CustomStringConvertible, CustomReflectable {
    /// The name and the address.
    public var description: String { "\(name) at \(url)" }
    /// The name and the address.
    public var customMirror: Mirror { Mirror(self, children: ["name": name, "url": url]) }
}
