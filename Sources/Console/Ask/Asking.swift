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

    private let url: String
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
    func document(_ question: String) async throws -> String {
        let response = try await post(question, accept: "application/json")
        let body = try await collect(response)
        guard response.status == .ok else { throw failure(response, body) }
        return String(buffer: body)
    }

    /// The answer as it comes.
    func stream(_ question: String, to terminal: Terminal) async throws {
        let response = try await post(question, accept: "text/event-stream")
        guard response.status == .ok else { throw failure(response, try await collect(response)) }
        var view = StreamView(terminal: terminal)
        var parser = ServerSentEventParser()
        do {
            for try await buffer in response.body {
                for event in try parser.parse(buffer.readableBytesView) { try view.show(event) }
            }
        } catch let error as Failure {
            throw error
        } catch {
            try Task.checkCancellation()
            throw brokenOff(error)
        }
        try view.finish()
    }

    private func post(_ question: String, accept: String) async throws -> HTTPClientResponse {
        struct Body: Encodable {
            var question: String
            var channel = Question.Channel.terminal
        }
        var request = HTTPClientRequest(url: url + "/v1/ask")
        request.method = .POST
        request.headers = ["content-type": "application/json", "accept": accept]
        if let key { request.headers.add(name: "authorization", value: "Bearer \(key)") }
        request.body = .bytes(try JSON(encoding: Body(question: question)).bytes)
        do {
            return try await HTTPClient.agents.execute(request, timeout: Self.timeout)
        } catch {
            try Task.checkCancellation()
            throw Failure(
                "There is no gateway at \(url): \(reason(error)). Start Octavo with `\(Failure.start)`, or name another address with --url."
            )
        }
    }

    private func collect(_ response: HTTPClientResponse) async throws -> ByteBuffer {
        do {
            return try await response.body.collect(upTo: Self.mostBytes)
        } catch {
            try Task.checkCancellation()
            throw brokenOff(error)
        }
    }

    private func brokenOff(_ error: any Error) -> Failure {
        Failure("The answer broke off: \(reason(error)). Its run is kept: octavo runs list")
    }

    /// The sentence of a problem, RFC 9457.
    private func failure(_ response: HTTPClientResponse, _ body: ByteBuffer) -> Failure {
        let problem = try? JSON(validating: body)
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

/// Shows a run's events while they come.
private struct StreamView {
    let terminal: Terminal
    private var citations: [Citation] = []
    private var hasText = false
    private var outcome: Outcome?

    init(terminal: Terminal) {
        self.terminal = terminal
    }

    mutating func show(_ event: ServerSentEvent) throws {
        if event.event == "error" {
            let problem = try? JSON(validating: event.data)
            throw Failure(Terminal.harmless(problem?.member("detail")?.string ?? event.data))
        }
        switch try JSON(validating: event.data).decode(RunEvent.self).body {
        case .status(let text): if !hasText { Terminal.error.progress(Terminal.harmless(text)) }
        case .search(let query, let hits):
            if !hasText { Terminal.error.progress("\(hits) sections on \"\(Terminal.harmless(query).prefix(60))\"") }
        case .citation(let citation): citations.append(citation)
        case .text(let text):
            if !hasText { Terminal.error.clearProgress() }
            hasText = true
            terminal.write(Terminal.harmless(text))
        case .restarted:
            terminal.line()
            Terminal.error.line("(interrupted; starting over)")
            citations = []
            hasText = false
        case .finished(let outcome): self.outcome = outcome
        }
    }

    func finish() throws {
        // Where there is text, the line of progress is gone already, and what stands there now is the answer's last.
        if hasText { terminal.line() } else { Terminal.error.clearProgress() }
        guard let outcome else { throw Failure("The answer broke off. Its run is kept: octavo runs list") }
        AnswerView(terminal: terminal).show(citations)
        if let error = outcome.error { throw Failure(Terminal.harmless(error.message)) }
    }
}
