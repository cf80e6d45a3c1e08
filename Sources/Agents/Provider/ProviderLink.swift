import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// The way to one provider: its address, its key, and how it is asked.
final class ProviderLink: Sendable {
    /// How a key is shown.
    enum KeyHeader: Sendable {
        /// `authorization: Bearer …`
        case bearer
        /// `x-api-key: …`
        case apiKey
    }

    let base: String
    let secret: Secret?
    let streams: Bool
    private let keyHeader: KeyHeader
    private let host: String
    private let exchange: ProviderExchange

    /// - Throws: ``AgentError/Code/misconfigured``.
    init(
        to model: ServedModel,
        baseURL: String,
        key: String?,
        keyHeader: KeyHeader = .bearer,
        settings: ProviderSettings
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
        self.base = address.base
        self.host = address.host
        self.secret = secret
        self.keyHeader = keyHeader
        self.streams = settings.streams
        self.exchange = ProviderExchange(model: model, settings: settings, secret: secret)
    }

    var isOpenAI: Bool { host == "api.openai.com" }

    /// Throws where a request would not be sent now.
    func check() throws(AgentError) {
        try exchange.settings.breaker.check(exchange.model)
    }

    var callsAhead: Int { exchange.settings.callLimit?.ahead ?? 0 }

    /// Posts `body`, and hands on what is answered.
    func post<Decoder: AnswerDecoder>(
        _ path: String,
        _ body: JSONValue,
        headers: HTTPHeaders = [:],
        isStream: Bool? = nil,
        decoder: @escaping @Sendable () -> Decoder,
        emit: @escaping @Sendable (Decoder.Event) async throws -> Void
    ) async throws {
        if exchange.settings.cassette?.mode != .replay { try NetworkAccess.check(host) }
        let request = try request(path, body, headers: headers, isStream: isStream ?? streams)
        try await exchange.send(request, decoder: decoder, emit: emit)
    }

    /// Not inlined: the frame that waits for the answer would hold what it needs.
    @inline(never)
    private func request(
        _ path: String,
        _ body: JSONValue,
        headers: HTTPHeaders,
        isStream: Bool
    ) throws -> OutgoingRequest {
        let text = body.text
        var http = try HTTPClient.Request(url: base + path, method: .POST)
        http.headers = ["content-type": "application/json"]
        http.headers.add(name: "accept", value: isStream ? "text/event-stream" : "application/json")
        http.headers.add(contentsOf: headers)
        if let secret {
            switch keyHeader {
            case .bearer: http.headers.add(name: "authorization", value: "Bearer \(secret.reveal())")
            case .apiKey: http.headers.add(name: "x-api-key", value: secret.reveal())
            }
        }
        http.body = .byteBuffer(ByteBuffer(string: text))
        return OutgoingRequest(http: http, path: path, body: text)
    }
}

/// Whom a request is for, as people are told it and breakers tell it apart.
struct ServedModel: Sendable, Hashable, CustomStringConvertible {
    let name: String
    let provider: String

    var description: String { provider.isEmpty ? name : "\(provider):\(name)" }
}

/// A request to a provider, with what tells it from others.
final class OutgoingRequest: Sendable {
    let http: HTTPClient.Request
    /// Behind the base URL.
    let path: String
    let body: String

    init(http: HTTPClient.Request, path: String, body: String) {
        self.http = http
        self.path = path
        self.body = body
    }
}

extension ModelRequest {
    /// Whether a model of these capabilities can be asked this at all.
    func check(_ capabilities: ModelCapabilities, _ model: String) throws(AgentError) {
        let hasImages = messages.contains { if case .user(_, let images) = $0 { !images.isEmpty } else { false } }
        guard capabilities.images || !hasImages else {
            throw AgentError(.misconfigured, "The model \(model) sees no pictures.")
        }
        guard capabilities.tools || tools.isEmpty else {
            throw AgentError(.misconfigured, "The model \(model) takes no tools.")
        }
    }
}
