public import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Synchronization

/// Calls methods of Slack's Web API with a bot's token.
///
/// A call is made once: whoever wants it made again knows when it is still of use. A method that Slack asked to leave alone is left
/// alone by all calls of this client until the time is over, without asking.
public final class SlackClient: Sendable {
    /// Where Slack is.
    public static let usualBaseURL = "https://slack.com/api"

    /// From the first byte sent to the last received: a status that comes later finds the answer there already.
    private static let patience = TimeAmount.seconds(5)
    /// Of an answer nobody reads more than this; those of the methods used here have some dozen bytes.
    private static let answerBytes = 16 << 10

    private let token: SlackToken
    private let base: String
    private let http: HTTPClient
    private let gate = Mutex(RateGate())

    /// A client. Nothing is sent yet.
    ///
    /// - Parameters:
    ///   - token: Sent as a bearer token; white space around it is dropped.
    ///   - baseURL: What comes before the name of a method. `http` is for this machine alone: the token would be readable on
    ///     the way.
    ///   - client: Follows no redirects, which would take the token along, and tries nothing twice: what is late is of no use.
    ///     Who made it shuts it down.
    public init(
        token: String,
        baseURL: String = SlackClient.usualBaseURL,
        client: HTTPClient
    ) throws(SlackError) {
        guard let token = SlackToken(token) else {
            throw SlackError(.misconfigured, "The Slack token is empty or has characters no token has.")
        }
        self.token = token
        base = try Self.checked(baseURL)
        http = client
    }

    /// Shows what the app is doing under a thread; Slack takes it away with the next message there, or after two minutes.
    /// An empty status takes it away now.
    public func setStatus(_ status: String, channel: String, thread: String) async throws(SlackError) {
        try await call("assistant.threads.setStatus", Status(channel: channel, thread: thread, status: status))
    }

    private func call(_ method: String, _ arguments: some Encodable) async throws(SlackError) {
        if let pause = gate.withLock({ $0.pause(before: method, now: .now) }) {
            throw Self.limited(method, pause)
        }
        guard let body = try? JSONEncoder().encode(arguments) else {
            throw SlackError(.misconfigured, "The arguments of \(method) are no JSON.")
        }
        let response = try await post(body, method)
        switch response.status.code {
        case 200: try Self.check(response.body ?? ByteBuffer(), of: method)
        case 429:
            let wish = response.headers.first(name: "retry-after")
            let pause = gate.withLock { gate in
                gate.close(method, retryAfter: wish, now: .now)
                return gate.pause(before: method, now: .now)
            }
            throw Self.limited(method, pause ?? .zero)
        default: throw SlackError(.invalidAnswer, "Slack answered \(method) with the status \(response.status.code).")
        }
    }

    /// With the client's futures: its asynchronous requests cost a task and an actor each, on another thread.
    private func post(_ body: Data, _ method: String) async throws(SlackError) -> HTTPClient.Response {
        do {
            let request = try HTTPClient.Request(
                url: "\(base)/\(method)",
                method: .POST,
                headers: [
                    "content-type": "application/json; charset=utf-8", "authorization": "Bearer \(token.reveal())",
                ],
                body: .byteBuffer(ByteBuffer(bytes: body))
            )
            let answer = ResponseAccumulator(request: request, maxBodySize: Self.answerBytes)
            let call = http.execute(request: request, delegate: answer, deadline: .now() + Self.patience)
            return try await withTaskCancellationHandler {
                try await call.get()
            } onCancel: {
                call.cancel()
            }
        } catch is ResponseAccumulator.ResponseTooBigError {
            throw SlackError(.invalidAnswer, "Slack's answer to \(method) is longer than \(Self.answerBytes) bytes.")
        } catch {
            // The error of an HTTP client may name the request with all its headers: its type is enough.
            throw SlackError(.unreachable, "Slack did not answer \(method) (\(type(of: error))).")
        }
    }

    /// Slack answers 200 also when it says no.
    private static func check(_ answer: ByteBuffer, of method: String) throws(SlackError) {
        // As it nearly always begins.
        guard !answer.readableBytesView.starts(with: #"{"ok":true"#.utf8) else { return }
        guard let verdict = try? JSONDecoder().decode(Verdict.self, from: Data(answer.readableBytesView)) else {
            throw SlackError(.invalidAnswer, "Slack's answer to \(method) is not its JSON.")
        }
        guard !verdict.ok else { return }
        // It goes into logs, and comes from somebody else.
        let word = String(
            (verdict.error ?? "").filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }.prefix(60)
        )
        throw SlackError(.refused, "Slack refused \(method): \(word).", word: word)
    }

    private static func limited(_ method: String, _ pause: Duration) -> SlackError {
        let seconds = pause.components.seconds + 1
        return SlackError(.limited, "Slack asked for fewer calls of \(method), and is left alone for \(seconds) s.")
    }

    /// Without a slash at its end. The text is not repeated: people put tokens into addresses.
    private static func checked(_ text: String) throws(SlackError) -> String {
        guard let url = URL(string: text), let host = url.host(), !host.isEmpty, url.user() == nil, url.query() == nil,
            url.fragment() == nil
        else {
            throw SlackError(.misconfigured, "The base URL of Slack is no plain URL.")
        }
        let isLocal = host == "localhost" || host == "127.0.0.1" || host == "[::1]" || host == "::1"
        guard url.scheme == "https" || (url.scheme == "http" && isLocal) else {
            throw SlackError(.misconfigured, "The base URL of Slack must begin with https://, but for this machine.")
        }
        return String(text.reversed().drop { $0 == "/" }.reversed())
    }

    private struct Status: Encodable {
        var channel: String
        var thread: String
        var status: String

        enum CodingKeys: String, CodingKey {
            case channel = "channel_id"
            case thread = "thread_ts"
            case status
        }
    }

    private struct Verdict: Decodable {
        var ok: Bool
        var error: String?
    }
}
