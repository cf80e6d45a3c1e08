import Synchronization

/// A request the provider got.
public struct RecordedRequest: Sendable {
    /// Such as `POST`.
    public var method: String
    /// Such as `/v1/chat/completions`.
    public var path: String
    /// By lower-case name.
    public var headers: [String: String]
    /// The body as text.
    public var body: String
}

/// What happened at the provider so far, and who waits for what.
final class Record: Sendable {
    struct Events {
        var requests: [RecordedRequest] = []
        /// Positions of requests whose client left before they were answered.
        var left: Set<Int> = []
        var connections = 0
    }

    private struct State {
        var events = Events()
        var waiting: [(isFulfilled: @Sendable (Events) -> Bool, continuation: AsyncStream<Void>.Continuation)] = []
    }

    private let state = Mutex(State())

    var events: Events { state.withLock { $0.events } }

    @discardableResult
    func note<Result>(_ change: (inout Events) -> Result) -> Result {
        state.withLock { state in
            let result = change(&state.events)
            state.waiting.removeAll { waiter in
                guard waiter.isFulfilled(state.events) else { return false }
                waiter.continuation.finish()
                return true
            }
            return result
        }
    }

    /// Returns when `condition` holds, or when the task is cancelled.
    func wait(until condition: @escaping @Sendable (Events) -> Bool) async {
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        state.withLock { $0.waiting.append((condition, continuation)) }
        note { _ in }
        for await _ in stream {}
    }
}
