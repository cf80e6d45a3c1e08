import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization

extension HTTPClient {
    /// The response to a request, once its head is there. The body is read as it comes; who stops reading ends the request, and so
    /// does the watchdog.
    ///
    /// The client's own asynchronous requests cost an actor and tasks on other threads each, which is more than all that is done
    /// here.
    func respond(to request: Request, _ watchdog: Watchdog) async throws -> HTTPClientResponse {
        let call = ProviderCall(self, request)
        watchdog.guards { [weak call] in call?.breakOff() }
        let head = try await call.answer.head()
        return HTTPClientResponse(
            version: head.version,
            status: head.status,
            headers: head.headers,
            body: .stream(ProviderCall.Body(call: call))
        )
    }
}

/// A request under way. Letting go of it ends it.
private final class ProviderCall: Sendable {
    let answer: ArrivingAnswer
    private let task: HTTPClient.Task<Void>

    init(_ client: HTTPClient, _ request: HTTPClient.Request) {
        let answer = ArrivingAnswer()
        self.answer = answer
        task = client.execute(request: request, delegate: answer)
        task.futureResult.whenComplete { answer.end($0) }
    }

    deinit {
        breakOff()
    }

    /// Cancelled first: a part that waits to be read is let go of by the end, and the next would take its place.
    func breakOff() {
        task.cancel()
        answer.end(.failure(CancellationError()))
    }

    struct Body: AsyncSequence, Sendable {
        let call: ProviderCall

        func makeAsyncIterator() -> AsyncIterator { AsyncIterator(call: call) }

        struct AsyncIterator: AsyncIteratorProtocol {
            let call: ProviderCall

            func next() async throws -> ByteBuffer? { try await call.answer.next() }
        }
    }
}

/// Between the event loop, where an answer arrives, and the task that reads it. The loop waits for the task: it holds one part at
/// most.
private final class ArrivingAnswer: HTTPClientResponseDelegate {
    private struct State {
        var head: HTTPResponseHead?
        var part: ByteBuffer?
        /// The next part may come.
        var isTaken: EventLoopPromise<Void>?
        var ending: Result<Void, any Error>?
        var reader: CheckedContinuation<Void, Never>?

        var hasNews: Bool { head != nil || part != nil || ending != nil }
    }

    private let state = Mutex(State())

    // MARK: The event loop's side

    func didReceiveHead(task: HTTPClient.Task<Void>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        wake { $0.head = head }
        return task.eventLoop.makeSucceededVoidFuture()
    }

    func didReceiveBodyPart(task: HTTPClient.Task<Void>, _ part: ByteBuffer) -> EventLoopFuture<Void> {
        let isTaken = task.eventLoop.makePromise(of: Void.self)
        wake { state in
            state.part = part
            state.isTaken = isTaken
        }
        return isTaken.futureResult
    }

    func didFinishRequest(task: HTTPClient.Task<Void>) {}

    func end(_ ending: Result<Void, any Error>) {
        let isTaken = wake { state in
            // The first: what was broken off did not end well a moment later.
            state.ending = state.ending ?? ending
            return state.isTaken.take()
        }
        isTaken?.succeed()
    }

    @discardableResult
    private func wake<Value>(_ change: (inout State) -> sending Value) -> Value {
        let (value, reader) = state.withLock { state in (change(&state), state.reader.take()) }
        reader?.resume()
        return value
    }

    // MARK: The task's side

    func head() async throws -> HTTPResponseHead {
        while true {
            let (head, ending) = state.withLock { state in (state.head.take(), state.ending) }
            if let head { return head }
            try ending?.get()
            try await wait()
        }
    }

    /// The next part of the body; nil at its end.
    func next() async throws -> ByteBuffer? {
        while true {
            let (part, isTaken, ending) = state.withLock { state in
                (state.part.take(), state.isTaken.take(), state.ending)
            }
            isTaken?.succeed()
            if let part { return part }
            if let ending {
                try ending.get()
                return nil
            }
            try await wait()
        }
    }

    private func wait() async throws {
        try Task.checkCancellation()
        await withTaskCancellationHandler {
            await withCheckedContinuation { reader in
                let isReady = state.withLock { state in
                    // Cancelled before it was registered: the handler has run already and found nobody.
                    if state.hasNews || Task.isCancelled { return true }
                    state.reader = reader
                    return false
                }
                if isReady { reader.resume() }
            }
        } onCancel: {
            wake { _ in }
        }
        try Task.checkCancellation()
    }
}
