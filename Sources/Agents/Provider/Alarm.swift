import NIOCore
import NIOPosix
import Synchronization

/// A point in time that is waited for, or at which something is to be done, and not both. It may be called off, or moved: most of
/// them never come. Neither costs more than a number
/// written down, since all alarms share one timer.
final class Alarm: Sendable {
    private struct State {
        var end: ContinuousClock.Instant
        var waiter: CheckedContinuation<Void, Never>?
        /// Instead of a task that waits: what is to be done.
        var action: (@Sendable () -> Void)?
    }

    private let state: Mutex<State>

    init(at end: ContinuousClock.Instant) {
        state = Mutex(State(end: end))
    }

    /// Carries out `action`, on the clock's thread, whenever it finds that its time has come; until `callOff`.
    func set(_ action: @escaping @Sendable () -> Void) {
        let end = state.withLock { state in
            state.action = action
            return state.end
        }
        AlarmClock.shared.add(self)
        AlarmClock.shared.look(by: end)
    }

    /// Nobody is interested any more.
    func callOff() {
        AlarmClock.shared.remove(self)
        state.withLock { $0.action = nil }
    }

    /// Throws `CancellationError` when the task is cancelled before.
    static func sleep(until end: ContinuousClock.Instant) async throws {
        try await Alarm(at: end).wait()
    }

    /// When it rings.
    fileprivate var end: ContinuousClock.Instant { state.withLock(\.end) }

    /// Rings at this time.
    func move(to end: ContinuousClock.Instant) {
        let isAwaited = state.withLock { state in
            state.end = end
            return state.waiter != nil || state.action != nil
        }
        if isAwaited { AlarmClock.shared.look(by: end) }
    }

    /// Returns when its time has come. For one task.
    func wait() async throws {
        AlarmClock.shared.add(self)
        defer { AlarmClock.shared.remove(self) }
        while end > .now {
            try Task.checkCancellation()
            await withTaskCancellationHandler {
                await withCheckedContinuation { waiter in
                    // Cancelled before it was registered: the handler has run already and found nobody.
                    let end = state.withLock { state in
                        state.waiter = Task.isCancelled ? nil : waiter
                        return state.waiter == nil ? nil : state.end
                    }
                    if let end { AlarmClock.shared.look(by: end) } else { waiter.resume() }
                }
            } onCancel: {
                ring()
            }
        }
        try Task.checkCancellation()
    }

    fileprivate func ring() {
        let (waiter, action) = state.withLock { state in (state.waiter.take(), state.action) }
        waiter?.resume()
        action?()
    }
}

/// Rings the alarms that somebody is interested in. It has one timer, for the earliest; what is called off or moved to later leaves that
/// alone. An event loop's own timers are searched through, all of them, for each that is called off.
final class AlarmClock: Sendable {
    private struct State {
        var alarms: [ObjectIdentifier: Alarm] = [:]
        var timer: (due: ContinuousClock.Instant, number: Int, scheduled: Scheduled<Void>)?
        /// Timers so far.
        var timers = 0
    }

    static let shared = AlarmClock()

    /// One loop, on which nothing else takes place, for the life of the process: others are blocked by what runs on them, and are
    /// shut down by whoever they belong to, and with them all timeouts would be.
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let state = Mutex(State())

    fileprivate func add(_ alarm: Alarm) {
        state.withLock { $0.alarms[ObjectIdentifier(alarm)] = alarm }
    }

    fileprivate func remove(_ alarm: Alarm) {
        state.withLock { _ = $0.alarms.removeValue(forKey: ObjectIdentifier(alarm)) }
    }

    /// Makes sure that it looks which alarms are to ring at this time at the latest.
    func look(by due: ContinuousClock.Instant) {
        state.withLock { state in
            if let timer = state.timer {
                guard due < timer.due else { return }
                timer.scheduled.cancel()
            }
            state.timers += 1
            let number = state.timers
            let scheduled = group.next().scheduleTask(in: TimeAmount(max(.zero, due - .now))) { self.look(number) }
            state.timer = (due, number, scheduled)
        }
    }

    private func look(_ number: Int) {
        let now = ContinuousClock.now
        let alarms = state.withLock { state in
            // It was called off as it came due: an earlier one has taken its place, and looks itself.
            guard state.timer?.number == number else { return [] as [Alarm] }
            state.timer = nil
            return Array(state.alarms.values)
        }
        var next: ContinuousClock.Instant?
        for alarm in alarms {
            let end = alarm.end
            if end <= now { alarm.ring() } else { next = min(end, next ?? end) }
        }
        if let next { look(by: next) }
    }
}
