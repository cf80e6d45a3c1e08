internal import Synchronization

/// Between the tasks that end spans, which never wait, and the one that exports them.
final class SpanQueue: Sendable {
    private struct State {
        var buffer = SpanBuffer()
        var isStopping = false
        var waiter: (count: Int, continuation: CheckedContinuation<Void, Never>)?

        /// Whoever waits, where that is over.
        mutating func awakened() -> CheckedContinuation<Void, Never>? {
            guard let waiter, isStopping || buffer.count >= waiter.count else { return nil }
            self.waiter = nil
            return waiter.continuation
        }
    }

    private let state = Mutex(State())

    var counts: SpanCounts { state.withLock(\.buffer.counts) }
    var isStopping: Bool { state.withLock(\.isStopping) }

    func add(_ span: FinishedSpan) {
        let waiter = state.withLock { state in
            state.buffer.add(span)
            return state.awakened()
        }
        waiter?.resume()
    }

    func take() -> [FinishedSpan] { state.withLock { $0.buffer.take() } }
    func delivered(_ delivery: SpanBuffer.Delivery) -> Duration { state.withLock { $0.buffer.delivered(delivery) } }
    func dropAll() { state.withLock { $0.buffer.dropAll() } }

    /// What waits is to be handed over now.
    func stop() {
        let waiter = state.withLock { state in
            state.isStopping = true
            return state.awakened()
        }
        waiter?.resume()
    }

    /// Returns when so many wait, when it is stopped, when the task is cancelled, or when the time is over.
    func wait(for count: Int, atMost limit: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait(for: count) }
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }

    /// As above, however long that takes.
    func wait(for count: Int) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.isStopping || state.buffer.count >= count || Task.isCancelled { return true }
                    state.waiter = (count, continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            // Either it sees that it is cancelled before it waits, or it is found here.
            state.withLock { $0.waiter.take() }?.continuation.resume()
        }
    }
}
