import Synchronization

/// A value that is there later, for whoever waits for it.
final class Awaited<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
        var next = 0
    }

    private let state = Mutex(State())

    /// One that is there already, or not yet.
    init(_ value: Value? = nil) {
        state.withLock { $0.value = value }
    }

    /// It is there.
    func set(_ value: Value) {
        let waiters = state.withLock { state in
            state.value = value
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume() }
    }

    /// The value, waited for if need be. Throws `CancellationError`.
    func value() async throws -> Value {
        if let value = state.withLock({ $0.value }) { return value }
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let isReady = state.withLock { state in
                    if state.value != nil || Task.isCancelled { return true }
                    state.waiters[id] = waiter
                    return false
                }
                if isReady { waiter.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
        }
        guard let value = state.withLock({ $0.value }) else { throw CancellationError() }
        return value
    }
}
