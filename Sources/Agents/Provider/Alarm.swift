import NIOCore
import NIOPosix
import Synchronization

/// Waiting for a point in time that may be called off, or moved. `Task.sleep` can be cancelled too, but what would have woken it
/// stays behind until then: of thousands of runs a second that may take ten minutes each, that is more than all else they hold.
final class Alarm: Sendable {
    private struct State {
        var end: ContinuousClock.Instant
        /// When the timer fires: no later than the end was when it was set.
        var armed: ContinuousClock.Instant?
        var timer: Scheduled<Void>?
    }

    /// Where the task is that makes it, if it is on an event loop: then no other thread has to be woken.
    private let loop = MultiThreadedEventLoopGroup.currentEventLoop ?? MultiThreadedEventLoopGroup.singleton.any()
    private let state: Mutex<State>

    init(at end: ContinuousClock.Instant) {
        state = Mutex(State(end: end))
    }

    /// Throws `CancellationError` when the task is cancelled before.
    static func sleep(until end: ContinuousClock.Instant) async throws {
        try await Alarm(at: end).wait()
    }

    /// Rings at this time. One that is earlier than before counts at once, a later one when the earlier has come.
    func move(to end: ContinuousClock.Instant) {
        let earlier = state.withLock { state in
            state.end = end
            guard let armed = state.armed, end < armed else { return nil as Scheduled<Void>? }
            return state.timer
        }
        earlier?.cancel()
    }

    /// Returns when its time has come. For one task.
    func wait() async throws {
        while true {
            try Task.checkCancellation()
            let end = state.withLock(\.end)
            let rest = end - .now
            guard rest > .zero else { return }
            let timer = loop.scheduleTask(in: TimeAmount(rest)) {}
            let isMoved = state.withLock { state in
                (state.armed, state.timer) = (end, timer)
                return state.end < end
            }
            if isMoved { timer.cancel() }
            await withTaskCancellationHandler {
                // It fails when it is called off or moved: both are seen above.
                _ = try? await timer.futureResult.get()
            } onCancel: {
                timer.cancel()
            }
        }
    }
}
