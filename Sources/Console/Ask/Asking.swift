import Agents
import AsyncHTTPClient
import Contract
import NIOCore
import NIOHTTP1
import Wire

/// Asks the gateway over HTTP.
struct Asking: Sendable {
    /// A question may wait for a slow model, and the gateway gives up before this.
    private static let timeout = TimeAmount.minutes(11)
    private static let mostBytes = 16 << 20

    let url: String

    /// The answer as the gateway's one document.
    func document(_ question: String) async throws -> String {
        let response = try await post(question, accept: "application/json")
        let body = try await response.body.collect(upTo: Self.mostBytes)
        guard response.status == .ok else { throw failure(body) }
        return String(buffer: body)
    }

    /// The answer as it comes.
    func stream(_ question: String, to terminal: Terminal) async throws {
        let response = try await post(question, accept: "text/event-stream")
        guard response.status == .ok else { throw failure(try await response.body.collect(upTo: Self.mostBytes)) }
        var view = StreamView(terminal: terminal)
        var parser = ServerSentEventParser()
        do {
            for try await buffer in response.body {
                for event in try parser.parse(buffer.readableBytesView) { try view.show(event) }
            }
        } catch let error as Failure {
            throw error
        } catch {
            throw Failure("The answer broke off: \(error). Its run is kept: octavo runs list")
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
        request.body = .bytes(try JSON(encoding: Body(question: question)).bytes)
        do {
            return try await HTTPClient.agents.execute(request, timeout: Self.timeout)
        } catch {
            throw Failure(
                "There is no gateway at \(url) (\(error)). Start Octavo with `octavo up`, or name another address with --url."
            )
        }
    }

    /// The sentence of a problem, RFC 9457.
    private func failure(_ body: ByteBuffer) -> Failure {
        let problem = try? JSON(validating: body)
        return Failure(
            Terminal.harmless(
                problem?.member("detail")?.string ?? "The gateway answered: \(String(buffer: body).prefix(500))"
            )
        )
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
        Terminal.error.clearProgress()
        if hasText { terminal.line() }
        guard let outcome else { throw Failure("The answer broke off. Its run is kept: octavo runs list") }
        AnswerView(terminal: terminal).show(citations)
        if let error = outcome.error { throw Failure(Terminal.harmless(error.message)) }
    }
}
