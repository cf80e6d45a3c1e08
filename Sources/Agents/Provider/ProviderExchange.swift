import AsyncHTTPClient
import Logging
import NIOCore
import NIOHTTP1

/// Makes sense of the body of one kind of answer. Pure: bytes in, events out.
protocol AnswerDecoder {
    /// The events that `bytes` complete. Throws ``ProviderFailure``.
    mutating func receive(_ bytes: ByteBufferView) throws -> [ModelEvent]
    /// The last events, when the body ended. `isWhole` says whether HTTP vouches that nothing is missing.
    mutating func end(isWhole: Bool) throws -> [ModelEvent]
    /// Whether all events were given: nothing that follows matters.
    var isComplete: Bool { get }
    /// Whether the model has finished, so that a connection breaking now took nothing with it that is needed.
    var hasFinished: Bool { get }
}

/// Sends a request to a provider and hands on what it answers: timeouts, retries, limits and what failures mean, for any
/// kind of answer.
struct ProviderExchange: Sendable {
    /// Bytes of one answer: more than any model writes, and what a wild provider can make us read at most.
    static let answerLimit = 16 * 1024 * 1024
    /// Bytes of an error's body: enough for its sentence.
    static let complaintLimit = 64 * 1024

    let client: HTTPClient
    let timeouts: ProviderTimeouts
    let policy: RetryPolicy
    let secret: Secret?
    let logger: Logger

    /// Sends `request`, again if need be as long as nothing of the answer was handed on, and returns when the answer is
    /// complete.
    func send(
        _ request: HTTPClientRequest,
        decoder: @escaping @Sendable () -> any AnswerDecoder,
        emit: @escaping @Sendable (ModelEvent) async throws -> Void
    ) async throws {
        try await Watchdog.guarding(timeouts) { watchdog in
            var attempt = 1
            while true {
                do {
                    return try await exchange(request, decoder(), watchdog, emit)
                } catch let failure as ProviderFailure {
                    watchdog.rest()
                    try Task.checkCancellation()
                    guard let pause = policy.pause(after: failure, attempt: attempt) else { throw failure.error }
                    logger.debug(
                        "asking the provider again",
                        metadata: ["attempt": "\(attempt)", "code": "\(failure.error.code)", "pause": "\(pause)"]
                    )
                    try await Task.sleep(for: pause)
                    attempt += 1
                }
            }
        }
    }

    private func exchange(
        _ request: HTTPClientRequest,
        _ decoder: any AnswerDecoder,
        _ watchdog: Watchdog,
        _ emit: @Sendable (ModelEvent) async throws -> Void
    ) async throws {
        watchdog.awaitFirstByte()
        let response: HTTPClientResponse
        do {
            // The watchdog keeps the time; this is only there because the client wants one.
            response = try await client.execute(request, timeout: TimeAmount(timeouts.total) + .minutes(1))
        } catch {
            try Task.checkCancellation()
            throw ProviderFailure(connecting: error)
        }
        guard (200..<300).contains(response.status.code) else {
            let body = await complaint(in: response)
            try Task.checkCancellation()
            throw ProviderFailure(status: response.status, headers: response.headers, body: body, secret: secret)
        }
        var answer = IncomingAnswer(response: response, decoder: decoder)
        while let events = try await answer.next(watchdog) {
            watchdog.rest()
            for event in events {
                // What was handed on cannot be taken back: from here on a failure is final.
                answer.wasHandedOn = true
                try await emit(event)
            }
        }
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

/// The body of one answer as it comes in.
private struct IncomingAnswer {
    private var body: HTTPClientResponse.Body.AsyncIterator
    private var decoder: any AnswerDecoder
    private var received = 0
    private var isBroken = false
    /// Without a length or chunks, HTTP/1 says the end by closing, and so does a provider that dies.
    private let isFramed: Bool
    var wasHandedOn = false

    init(response: HTTPClientResponse, decoder: any AnswerDecoder) {
        self.body = response.body.makeAsyncIterator()
        self.decoder = decoder
        self.isFramed =
            response.version.major >= 2 || response.headers.contains(name: "content-length")
            || response.headers.contains(name: "transfer-encoding")
    }

    /// The next events; `nil` when the answer is complete.
    mutating func next(_ watchdog: Watchdog) async throws -> [ModelEvent]? {
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
    private mutating func receive(_ watchdog: Watchdog) async throws -> ByteBufferView? {
        if received > 0 { watchdog.awaitNextByte() }
        let buffer: ByteBuffer?
        do {
            buffer = try await body.next(isolation: #isolation)
        } catch {
            try Task.checkCancellation()
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
    private mutating func drain(_ watchdog: Watchdog) async {
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
