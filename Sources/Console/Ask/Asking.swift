import Agents
import AsyncHTTPClient
import Contract
import FoundationEssentials
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import Wire

/// Asks the gateway over HTTP.
struct Asking: Sendable {
    /// A question may wait for a slow model, and the gateway gives up before this.
    private static let timeout = TimeAmount.minutes(11)
    private static let mostBytes = 16 << 20

    /// Where `octavo up` listens unless it is told otherwise.
    static let usualURL = "http://127.0.0.1:8080"

    let url: String
    /// For a gateway beyond this machine. From the environment alone: what stands in the arguments of a process everybody
    /// on the machine can read.
    private let key = environment("OCTAVO_KEY")

    init(url: String) throws {
        let parts = URL(string: url)
        guard let scheme = parts?.scheme, scheme == "http" || scheme == "https", parts?.host?.isEmpty == false else {
            throw Failure(
                "\"\(url)\" is not the address of a gateway; one looks like \(Self.usualURL). Put --url or OCTAVO_URL right."
            )
        }
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
    }

    /// The answer as the gateway's one document.
    func document(
        _ question: String,
        agent: String? = nil,
        in talk: ConversationID? = nil,
        as run: RunID = .new()
    ) async throws -> String {
        try await persevering(with: run) { isFirst in
            if let talk { return try await document(question, in: talk, run, isFirst: isFirst) }
            let response = try await post(question, to: agent, run, accept: "application/json", isFirst: isFirst)
            let body = try await collect(response)
            // Accepted: it waits for a person, and the document says for what.
            guard [.ok, .accepted].contains(response.status) else { throw failure(response, body, isFirst: isFirst) }
            return String(buffer: body)
        } progress: {
            0
        } interrupted: { _ in
        }
    }

    /// The answer as it comes; of an agent with a form of its own, that alone.
    func stream(
        _ question: String,
        agent: String? = nil,
        in talk: ConversationID? = nil,
        hasForm: Bool = false,
        to terminal: Terminal
    ) async throws {
        let run = RunID.new()
        var view = StreamView(terminal: terminal, showsText: !hasForm)
        defer { if !view.isOver { view.endLine() } }
        try await persevering(with: run) { isFirst in
            let response =
                if let talk {
                    try await follow(say(question, in: talk, run, isFirst: isFirst), after: view.seen, isFirst: isFirst)
                } else {
                    try await post(question, to: agent, run, accept: "text/event-stream", isFirst: isFirst)
                }
            guard response.status == .ok else {
                throw failure(response, try await collect(response), isFirst: isFirst)
            }
            try await show(response, &view)
        } progress: {
            view.seen
        } interrupted: { reason in
            view.interrupted(reason)
        }
        view.endLine()
        try view.showOutcome()
    }

    private func show(_ response: HTTPClientResponse, _ view: inout StreamView) async throws {
        var parser = ServerSentEventParser()
        do {
            for try await buffer in response.body {
                for event in try parser.parse(buffer.readableBytesView) { try view.show(event) }
            }
        } catch let problem as StreamView.Problem {
            guard problem.isPassing else { throw Failure(problem.detail) }
            throw Interruption(reason: problem.detail)
        } catch {
            try Task.checkCancellation()
            throw Interruption(reason: reason(error))
        }
        guard view.isOver else { throw Interruption(reason: "the gateway ended it") }
    }

    /// Asks again when the connection broke: the run goes on meanwhile, and asking with its id is the same run. Gives up
    /// after half a minute without anything new, which is longer than a service takes to be restarted.
    private func persevering<Value>(
        with run: RunID,
        _ attempt: (_ isFirst: Bool) async throws -> Value,
        progress: () -> Int,
        interrupted: (_ reason: String) -> Void
    ) async throws -> Value {
        var failures = 0
        var last = 0
        var isFirst = true
        var why = ""
        while true {
            do {
                return try await attempt(isFirst)
            } catch let interruption as Interruption {
                isFirst = false
                why = interruption.reason
                failures = progress() > last ? 1 : failures + 1
                last = progress()
                guard failures <= Self.mostFailures else {
                    throw Failure(
                        "The answer broke off: \(interruption.reason). Its run is kept: octavo runs show \(run)"
                    )
                }
            }
            interrupted(why)
            try await Task.sleep(for: Self.pause)
        }
    }

    private static let pause = Duration.milliseconds(500)
    private static let mostFailures = 60

    /// The connection broke after the question was sent.
    private struct Interruption: Error {
        let reason: String
    }

    /// - Parameter isFirst: Whether nothing was heard from this gateway yet. Then one that does not answer is the mistake of
    ///   whoever gave its address.
    private func post(
        _ text: String,
        to agent: String?,
        _ run: RunID,
        accept: String,
        isFirst: Bool
    ) async throws -> HTTPClientResponse {
        struct Body: Encodable {
            var question: String?
            var input: String?
            var run: RunID
            var channel = Question.Channel.terminal
        }
        let body = agent == nil ? Body(question: text, run: run) : Body(input: text, run: run)
        var request = HTTPClientRequest(url: url + (agent.map { "/v1/agents/\($0)/runs" } ?? "/v1/ask"))
        request.method = .POST
        request.headers = ["content-type": "application/json", "accept": accept]
        request.body = .bytes(try JSON(encoding: body).bytes)
        return try await send(request, isFirst: isFirst)
    }

    /// What the gateway answers a request with; `isFirst` as in `post`.
    func send(_ request: HTTPClientRequest, isFirst: Bool) async throws -> HTTPClientResponse {
        var request = request
        if let key { request.headers.add(name: "authorization", value: "Bearer \(key)") }
        do {
            return try await HTTPClient.agents.execute(request, timeout: Self.timeout)
        } catch {
            try Task.checkCancellation()
            // It had taken the connection, and so perhaps the question.
            let wasThere = error as? HTTPClientError == .remoteConnectionClosed
            guard isFirst, !wasThere else { throw Interruption(reason: reason(error)) }
            throw Failure(
                "There is no gateway at \(url): \(reason(error)). Start Octavo with `\(Failure.start)`, or name another address with --url."
            )
        }
    }

    func collect(_ response: HTTPClientResponse) async throws -> ByteBuffer {
        do {
            return try await response.body.collect(upTo: Self.mostBytes)
        } catch {
            try Task.checkCancellation()
            throw Interruption(reason: reason(error))
        }
    }

    /// The sentence of a problem, RFC 9457.
    func failure(_ response: HTTPClientResponse, _ body: ByteBuffer, isFirst: Bool) -> any Error {
        let problem = try? JSON(validating: body)
        // A service that is just restarted; when it is the first try, it may be away for long, and is not waited for.
        if !isFirst, response.status == .serviceUnavailable { return Interruption(reason: "a service is away") }
        return Failure(
            problem?.member("detail")?.string.map(Terminal.harmless)
                ?? "\(url) is not Octavo's gateway: it answered with HTTP \(response.status.code). Name another address with --url."
        )
    }
}

/// Why there is no answer, in words; the libraries' own are for those who know them.
private func reason(_ error: any Error) -> String {
    switch error {
    case let error as NIOConnectionError:
        error.connectionErrors.first.map { reason($0.error) } ?? "the host's name is not known"
    case let error as IOError: String(cString: strerror(error.errnoCode))
    case let error as HTTPClientError where error == .remoteConnectionClosed: "it closed the connection"
    case let error as HTTPClientError
    where [.connectTimeout, .deadlineExceeded, .readTimeout].contains(error): "it did not answer in time"
    case ChannelError.connectTimeout: "it did not answer in time"
    case is HTTPParserError: "what answers there does not speak HTTP"
    case is NIOTooManyBytesError: "it is longer than it may be"
    default: "the connection failed"
    }
}
