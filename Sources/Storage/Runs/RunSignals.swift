import Contract
import Synchronization

/// Wakes whoever waits for something to happen to a run, or for a run to claim. A signal says "look again" and carries
/// nothing: who waits subscribes first and looks then, so none is missed.
final class RunSignals: Sendable {
    /// What is waited for.
    enum Topic: Hashable {
        case run(RunID)
        case queue
    }

    private struct State {
        var waiters: [Topic: [Int: AsyncStream<Void>.Continuation]] = [:]
        var next = 0
    }

    private let state = Mutex(State())

    /// Carries out `body` with the signals of a topic; several that nobody has looked at yet are one.
    func subscribed<T>(to topic: Topic, _ body: (AsyncStream<Void>) async throws -> T) async rethrows -> T {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let id = state.withLock { state in
            state.next += 1
            state.waiters[topic, default: [:]][state.next] = continuation
            return state.next
        }
        defer {
            state.withLock { state in
                state.waiters[topic]?[id] = nil
                if state.waiters[topic]?.isEmpty == true { state.waiters[topic] = nil }
            }
        }
        return try await body(stream)
    }

    func signal(_ topic: Topic) {
        let waiters = state.withLock { Array(($0.waiters[topic] ?? [:]).values) }
        for waiter in waiters { waiter.yield() }
    }

    /// Everybody looks: for what happened where this process did not see it.
    func signalAll() {
        let waiters = state.withLock { $0.waiters.values.flatMap(\.values) }
        for waiter in waiters { waiter.yield() }
    }
}
