import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// A request that failed, and whether it may be made again.
struct ProviderFailure: Error {
    var error: AgentError
    var mayRetry: Bool

    init(_ error: AgentError, mayRetry: Bool) {
        self.error = error
        self.mayRetry = mayRetry
    }

    /// There is no connection, or it broke before the answer began.
    init(connecting error: any Error) {
        let reason = (error as? HTTPClientError)?.shortDescription ?? "the connection failed"
        self.init(AgentError(.providerUnavailable, "The provider cannot be reached: \(reason)."), mayRetry: true)
    }

    /// The answer is an HTTP status other than success, with what the body says.
    init(status: HTTPResponseStatus, headers: HTTPHeaders, body: ByteBuffer, secret: Secret?) {
        let code = status.code
        let said = Self.sentence(Self.complaint(in: body), secret)
        let retryAfter = RetryAfter.duration(in: headers)
        switch code {
        case 429:
            let error = AgentError(.rateLimited, "The provider asks for fewer requests.\(said)", retryAfter: retryAfter)
            self.init(error, mayRetry: true)
        case 408, 409, 500...:
            let error = AgentError(
                .providerUnavailable,
                "The provider failed (HTTP \(code)).\(said)",
                retryAfter: retryAfter
            )
            self.init(error, mayRetry: true)
        case 401, 403:
            // What providers say here quotes the key.
            self.init(AgentError(.providerRefused, "The provider refused the key (HTTP \(code))."), mayRetry: false)
        case 300..<400:
            let sentence = "The provider redirects elsewhere (HTTP \(code)); set the base URL to where it is."
            self.init(AgentError(.providerRefused, sentence), mayRetry: false)
        default:
            let sentence = "The provider refused the request (HTTP \(code)).\(said)"
            self.init(AgentError(.providerRefused, sentence), mayRetry: false)
        }
    }

    /// The answer began with success and then holds an error object.
    init(complaint: ProviderComplaint, secret: Secret?) {
        let said = Self.sentence(complaint.message, secret)
        switch complaint.kind {
        case .rateLimited:
            self.init(AgentError(.rateLimited, "The provider asks for fewer requests.\(said)"), mayRetry: true)
        case .unavailable:
            self.init(AgentError(.providerUnavailable, "The provider failed.\(said)"), mayRetry: true)
        case .refused:
            self.init(AgentError(.providerRefused, "The provider refused the request.\(said)"), mayRetry: false)
        }
    }

    private static func complaint(in body: ByteBuffer) -> String? {
        (try? JSONDecoder().decode(ProviderComplaint.self, from: Data(body.readableBytesView)))?.message
    }

    /// ` It said: …`, in one short line without secrets; nothing if there is nothing.
    private static func sentence(_ text: String?, _ secret: Secret?) -> String {
        guard let text, !text.isEmpty else { return "" }
        let line = String(text.prefix(4096).map { $0.isNewline || $0 == "\t" ? " " : $0 })
        let shown = Secret.redact(line, secret).unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }
        return " It said: " + String(String(String.UnicodeScalarView(shown)).prefix(300))
    }
}

/// An error object of a provider: `{"error":{"message":…,"type":…,"code":…}}`, `{"error":"…"}`, `{"message":"…"}` or
/// `{"detail":"…"}`.
struct ProviderComplaint: Decodable, Equatable {
    enum Kind: Equatable {
        case rateLimited, unavailable, refused
    }

    let message: String?
    let kind: Kind

    private enum Key: String, CodingKey {
        case error, message, detail, type, code
    }

    init(from decoder: any Decoder) throws {
        let outer = try decoder.container(keyedBy: Key.self)
        let inner = (try? outer.nestedContainer(keyedBy: Key.self, forKey: .error)) ?? outer
        let texts = [Key.message, .error, .detail].lazy.compactMap { try? inner.decode(String.self, forKey: $0) }
        self.message = texts.first
        let number = try? inner.decode(Int.self, forKey: .code)
        let words = [Key.code, .type].compactMap { try? inner.decode(String.self, forKey: $0) }
        self.kind = Self.kind(number: number ?? words.lazy.compactMap { Int($0) }.first, words: words)
    }

    private static func kind(number: Int?, words: [String]) -> Kind {
        if number == 429 || words.contains(where: { $0.contains("rate_limit") }) { return .rateLimited }
        if let number { return number >= 500 || number == 408 || number == 409 ? .unavailable : .refused }
        let isTheirs = words.contains {
            ["server_error", "api_error", "overloaded", "unavailable", "timeout"].contains(where: $0.contains)
        }
        return isTheirs ? .unavailable : .refused
    }
}
