import AsyncHTTPClient
import Configuration
import Contract
import Daemon
import FoundationEssentials
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import Traces
import Tracing
import Wire

/// Posts a message to a webhook, signed as Standard Webhooks has it. The receiver knows a message by its `webhook-id`, the same in
/// every attempt: so one that may have arrived is simply sent again.
struct WebhookSender: Sendable {
    /// From the first byte sent to the answer: a receiver is to take a message, and to work afterwards.
    private static let patience = TimeAmount.seconds(10)
    private static let connecting = TimeAmount.seconds(5)

    let destinations: Destinations
    let secrets: WebhookSecrets

    /// From the settings `OCTAVO_WEBHOOK_NETWORKS` and `WEBHOOK_SECRETS`.
    init(_ config: ConfigReader) throws {
        do {
            destinations = try Destinations(networks: config.string(forKey: "octavo.webhook.networks", default: ""))
            secrets = try WebhookSecrets(config.string(forKey: "webhook.secrets", isSecret: true, default: ""))
        } catch {
            throw ConfigurationError("Webhooks cannot be sent: \(error).")
        }
    }

    /// Why nothing can be told to a webhook as things stand, as `send` would say it.
    func problems(of webhook: Webhook) async -> [String] {
        let signature = secrets.signature(for: webhook.name, id: "", timestamp: 0, body: "")
        var problems = signature == nil ? [Self.noSecret] : []
        guard let url = URL(string: webhook.url) else { return problems + [Self.noURL] }
        do {
            _ = try await destinations.place(of: url)
        } catch {
            problems.append("\(error)")
        }
        return problems
    }

    private static let noSecret =
        "There is no secret of that name in the credential webhook-secrets of octavo-agent-runner."
    private static let noURL = "The URL is none."

    /// - Parameter recorder: what keeps the span of the request.
    func send(_ message: ClaimMessages.Item, recorder: SpanRecorder? = nil) async -> Verdict {
        let name = message.destination.dropFirst("webhook/".count)
        let timestamp = Int(Date.now.timeIntervalSince1970)
        let signature = secrets.signature(for: String(name), id: message.key, timestamp: timestamp, body: message.body)
        guard let signature else {
            return .failed(Self.noSecret)
        }
        guard let url = URL(string: message.url) else { return .failed(Self.noURL) }
        let place: Destinations.Place
        do {
            place = try await destinations.place(of: url)
        } catch {
            return .failed("\(error)")
        }
        var request = HTTPClientRequest(url: message.url)
        request.method = .POST
        request.headers = [
            "content-type": "application/json", "user-agent": "octavo/\(octavoVersion)", "webhook-id": message.key,
            "webhook-timestamp": "\(timestamp)", "webhook-signature": signature,
        ]
        request.body = .bytes(ByteBuffer(string: message.body))
        let span = recorder.flatMap { Self.span(of: url, $0) }
        let verdict = await post(request, to: place, span)
        if verdict.error != nil { span?.fail(verdict.status.map { "\($0)" } ?? "no_answer") }
        span?.end()
        return verdict
    }

    private static func span(of url: URL, _ recorder: SpanRecorder) -> RecordedSpan? {
        guard let parent = TraceParent.current, parent.isSampled else { return nil }
        let span = recorder.start("POST", .client, within: parent)
        span.attributes["http.request.method"] = "POST"
        span.attributes["server.address"] = url.host()
        span.attributes["server.port"] = url.port ?? (url.scheme == "https" ? 443 : 80)
        span.attributes["url.scheme"] = url.scheme
        return span
    }

    /// By a client of its own: only so the connection is made to the address that was looked at.
    private func post(
        _ request: HTTPClientRequest,
        to place: Destinations.Place,
        _ span: RecordedSpan?
    ) async -> Verdict {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        // The receiver is not told of our traces.
        configuration.tracing.tracer = nil
        configuration.timeout = .init(connect: Self.connecting)
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.dnsOverride = [place.host: place.address]
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let verdict: Verdict
        do {
            let response = try await client.execute(request, timeout: Self.patience)
            span?.attributes["http.response.status_code"] = Int(response.status.code)
            verdict = Verdict(
                status: Int(response.status.code),
                retryAfter: response.headers.first(name: "retry-after")
            )
            // What it says beside its status nobody needs, and it may take for ever to say it: the connection ends here.
        } catch {
            verdict = Self.verdict(on: error)
        }
        try? await client.shutdown()
        return verdict
    }

    /// Only what fails while connecting has certainly not arrived.
    private static func verdict(on error: any Error) -> Verdict {
        switch error {
        case let error as HTTPClientError where error == .connectTimeout: .failed("Connecting took too long.")
        case let error as HTTPClientError where error == .deadlineExceeded || error == .readTimeout:
            .unknown("No answer came in \(patience.nanoseconds / 1_000_000_000) s.")
        case is NIOConnectionError: .failed("Nobody listens there.")
        case let error as IOError where error.errnoCode == ECONNREFUSED: .failed("Nobody listens there.")
        case let error as HTTPClientError where error == .remoteConnectionClosed:
            .unknown("The connection ended without an answer.")
        // TLS does not come about, or the answer is no HTTP.
        case is HTTPParserError: .unknown("The answer is no HTTP.")
        default: isOfTLS(error) ? .failed("No encrypted connection comes about.") : .unknown("The connection broke.")
        }
    }

    private static func isOfTLS(_ error: any Error) -> Bool {
        "\(type(of: error))".contains("SSL") || "\(error)".contains("certificate")
    }
}
