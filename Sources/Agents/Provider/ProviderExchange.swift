import AsyncHTTPClient
import Logging
import NIOCore
import NIOHTTP1
import Tracing

/// Sends a request to a provider and hands on what it answers: timeouts, retries, limits and what failures mean, for any
/// kind of answer.
final class ProviderExchange: Sendable {
    /// Bytes of one answer: more than any model writes, and what a wild provider can make us read at most.
    static let answerLimit = 16 * 1024 * 1024
    /// Bytes of an error's body: enough for its sentence.
    static let complaintLimit = 64 * 1024

    let model: ServedModel
    let settings: ProviderSettings
    let secret: Secret?

    init(model: ServedModel, settings: ProviderSettings, secret: Secret?) {
        self.model = model
        self.settings = settings
        self.secret = secret
    }

    /// Sends `request`, again if need be as long as nothing of the answer was handed on that counts, and returns when the
    /// answer is complete.
    func send<Decoder: AnswerDecoder>(
        _ request: OutgoingRequest,
        decoder: @escaping @Sendable () -> Decoder,
        emit: @escaping @Sendable (Decoder.Event) async throws -> Void
    ) async throws {
        // The time of others is not the provider's: the clocks of this call start when it has its turn, which it keeps while it pauses.
        try await settings.callLimit?.take()
        defer { settings.callLimit?.giveBack() }
        let policy = RetryPolicy(retries: settings.retries, longestPause: settings.longestPause)
        let watchdog = Watchdog(settings.timeouts)
        defer { watchdog.stop() }
        var attempt = 1
        while true {
            do {
                let number = attempt
                return try await spanned(request, attempt: number) { span in
                    try await attempted(request, decoder(), watchdog, span, emit)
                }
            } catch let failure as ProviderFailure {
                watchdog.rest()
                try Task.checkCancellation()
                // Broken off while the provider was complaining.
                if let verdict = watchdog.verdict { throw verdict }
                guard let pause = policy.pause(after: failure, attempt: attempt) else { throw failure.error }
                try await wait(pause, after: failure, attempt, watchdog)
                attempt += 1
            }
        }
    }

    @inline(never)
    private func wait(
        _ pause: Duration,
        after failure: ProviderFailure,
        _ attempt: Int,
        _ watchdog: Watchdog
    ) async throws {
        settings.logger.debug(
            "asking the provider again",
            metadata: ["attempt": "\(attempt)", "code": "\(failure.error.code)", "pause": "\(pause)"]
        )
        try await watchdog.pause(for: pause)
    }

    /// One request, of which the breaker is told how it went.
    private func attempted<Decoder: AnswerDecoder>(
        _ request: OutgoingRequest,
        _ decoder: Decoder,
        _ watchdog: Watchdog,
        _ span: any Span,
        _ emit: @Sendable (Decoder.Event) async throws -> Void
    ) async throws {
        let breaker = settings.breaker
        try breaker.admit(model)
        do {
            try await exchange(request, decoder, watchdog, span, emit)
            breaker.succeeded(model)
        } catch {
            // The watchdog breaks off what takes too long, and alone knows that it did.
            breaker.ended(model, with: (error as? ProviderFailure)?.error ?? watchdog.verdict)
            throw error
        }
    }

    private func exchange<Decoder: AnswerDecoder>(
        _ request: OutgoingRequest,
        _ decoder: Decoder,
        _ watchdog: Watchdog,
        _ span: any Span,
        _ emit: @Sendable (Decoder.Event) async throws -> Void
    ) async throws {
        watchdog.awaitFirstByte()
        let answer = IncomingAnswer(response: try await begin(request, watchdog, span), decoder: decoder)
        while let events = try await answer.next(watchdog) {
            watchdog.rest()
            for event in events {
                // What was handed on cannot be taken back: from here on a failure is final.
                if Decoder.isFinal(event) { answer.wasHandedOn = true }
                try await emit(event)
            }
        }
    }

    /// The answer, once its head is there and says that it is one. Not inlined: who reads it would hold what this needs.
    @inline(never)
    private func begin(
        _ request: OutgoingRequest,
        _ watchdog: Watchdog,
        _ span: any Span
    ) async throws -> HTTPClientResponse {
        let response: HTTPClientResponse
        do {
            response = try await respond(to: request, watchdog)
        } catch let error as AgentError {
            throw ProviderFailure(error, mayRetry: false)
        } catch {
            try Task.checkCancellation()
            if let verdict = watchdog.verdict { throw verdict }
            throw ProviderFailure(connecting: error)
        }
        if span.isRecording { span.attributes["http.response.status_code"] = Int(response.status.code) }
        guard (200..<300).contains(response.status.code) else { throw try await failure(in: response, span) }
        return response
    }

    @inline(never)
    private func failure(in response: HTTPClientResponse, _ span: any Span) async throws -> ProviderFailure {
        if span.isRecording { span.attributes["error.type"] = "\(response.status.code)" }
        let body = await complaint(in: response)
        try Task.checkCancellation()
        return ProviderFailure(status: response.status, headers: response.headers, body: body, secret: secret)
    }

    private func respond(to request: OutgoingRequest, _ watchdog: Watchdog) async throws -> HTTPClientResponse {
        if let cassette = settings.cassette { return try await respond(to: request, watchdog, with: cassette) }
        return try await settings.client.respond(to: request.http, watchdog)
    }

    @inline(never)
    private func respond(
        to request: OutgoingRequest,
        _ watchdog: Watchdog,
        with cassette: Cassette
    ) async throws -> HTTPClientResponse {
        if cassette.mode == .replay { return try cassette.response(to: request, secret: secret) }
        let response = try await settings.client.respond(to: request.http, watchdog)
        return try await cassette.recording(response, to: request, secret: secret)
    }

    /// What there is of an error's body; an error that breaks off is still that error.
    private func complaint(in response: HTTPClientResponse) async -> ByteBuffer {
        var body = ByteBuffer()
        do {
            for try await part in response.body {
                let room = Self.complaintLimit - body.readableBytes
                body.writeBytes(part.readableBytesView.prefix(room))
                if body.readableBytes == Self.complaintLimit { break }
            }
        } catch {}
        return body
    }
}

/// The body of one answer as it comes in. An object, of which the frames that wait for more hold no copies.
private final class IncomingAnswer<Decoder: AnswerDecoder> {
    private var body: HTTPClientResponse.Body.AsyncIterator
    private var decoder: Decoder
    private var received = 0
    private var isBroken = false
    /// Without a length or chunks, HTTP/1 says the end by closing, and so does a provider that dies.
    private let isFramed: Bool
    var wasHandedOn = false

    init(response: HTTPClientResponse, decoder: Decoder) {
        self.body = response.body.makeAsyncIterator()
        self.decoder = decoder
        self.isFramed =
            response.version.major >= 2 || response.headers.contains(name: "content-length")
            || response.headers.contains(name: "transfer-encoding")
    }

    /// The next events; `nil` when the answer is complete.
    func next(_ watchdog: Watchdog) async throws -> [Decoder.Event]? {
        do {
            if decoder.isComplete {
                await drain(watchdog)
                return nil
            }
            if let bytes = try await receive(watchdog) { return try decoder.receive(bytes) }
            let events = try decoder.end(isWhole: isFramed && !isBroken)
            return events.isEmpty ? nil : events
        } catch var failure as ProviderFailure {
            if wasHandedOn { failure.mayRetry = false }
            throw failure
        }
    }

    /// The next bytes; `nil` at the end.
    private func receive(_ watchdog: Watchdog) async throws -> ByteBufferView? {
        if received > 0 { watchdog.awaitNextByte() }
        let buffer: ByteBuffer?
        do {
            buffer = try await body.next(isolation: #isolation)
        } catch {
            try Task.checkCancellation()
            if let verdict = watchdog.verdict { throw verdict }
            guard decoder.hasFinished else { throw ProviderFailure.brokenOff }
            isBroken = true
            return nil
        }
        // The body of a cancelled request ends like any other.
        try Task.checkCancellation()
        received += buffer?.readableBytes ?? 0
        guard received <= ProviderExchange.answerLimit else { throw ProviderFailure.answerTooLong }
        return buffer?.readableBytesView
    }

    /// Reads the end of the body, so that the connection can be used again; a provider that goes on is left.
    private func drain(_ watchdog: Watchdog) async {
        watchdog.awaitEnd()
        var room = 4096
        while room > 0, let part = try? await body.next(isolation: #isolation) { room -= part.readableBytes }
    }
}

extension ProviderFailure {
    static let brokenOff = ProviderFailure(
        AgentError(.providerUnavailable, "The provider's answer broke off."),
        mayRetry: true
    )
    static let answerTooLong = ProviderFailure(
        AgentError(.invalidAnswer, "The provider's answer is longer than \(ProviderExchange.answerLimit) bytes."),
        mayRetry: false
    )
}
