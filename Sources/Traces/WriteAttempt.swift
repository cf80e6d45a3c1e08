internal import CLinux
internal import Synchronization

/// A batch on its way to the disk: it is there, or it is given up, whichever comes first. Whoever comes second learns it.
final class WriteAttempt: Sendable {
    private struct State {
        var delivery: SpanBuffer.Delivery?
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    var isOver: Bool { state.withLock { $0.delivery != nil } }

    /// It is on the disk. False when it was given up before.
    func succeed() -> Bool {
        state.withLock { state in
            if state.delivery == nil { state.delivery = .taken }
            return state.delivery == .taken
        }
    }

    /// It is given up, unless it has succeeded; whoever waits goes on.
    func end() {
        let waiter = state.withLock { state in
            if state.delivery == nil { state.delivery = .again(after: nil) }
            return state.waiter.take()
        }
        waiter?.resume()
    }

    /// What became of it; at the deadline, or when the task is cancelled, it is given up.
    func delivery(until deadline: ContinuousClock.Instant) async -> SpanBuffer.Delivery {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.ended() }
            group.addTask { try? await Task.sleep(until: deadline) }
            await group.next()
            end()
            group.cancelAll()
        }
        // It has ended above.
        return state.withLock(\.delivery) ?? .again(after: nil)
    }

    private func ended() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.delivery != nil || Task.isCancelled { return true }
                    state.waiter = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            end()
        }
    }
}

/// Starts a thread that nobody waits for; false when there can be none.
func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
    let box = Unmanaged.passRetained(ThreadBody(body))
    let error = octavo_start_thread(
        "spans",
        { argument in
            // The argument is the box retained above.
            if let argument { Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run() }
        },
        box.toOpaque()
    )
    if error != 0 { box.release() }
    return error == 0
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) {
        self.run = run
    }
}
