import Synchronization

/// Sees to it that a request does not outlast its timeouts: breaks it off when time is up. It is an alarm, and no task beside
/// the request, of which there are thousands at once.
final class Watchdog: Sendable {
    private struct Watch {
        let deadline: ContinuousClock.Instant
        /// `nil` ends the request without complaint.
        let error: AgentError?
    }

    private struct State {
        var phase: Watch?
        var breakOff: (@Sendable () -> Void)?
        var verdict: AgentError?
        var isOver = false
    }

    private let timeouts: ProviderTimeouts
    private let end: ContinuousClock.Instant
    private let alarm: Alarm
    private let state = Mutex(State())

    /// Why the request was broken off, if it was.
    var verdict: AgentError? { state.withLock(\.verdict) }

    /// The time for the whole begins. It is watched over until `stop`.
    init(_ timeouts: ProviderTimeouts) {
        self.timeouts = timeouts
        end = .now + timeouts.total
        alarm = Alarm(at: end)
        alarm.set { [weak self] in self?.look() }
    }

    deinit {
        alarm.callOff()
    }

    /// The request is over.
    func stop() {
        alarm.callOff()
        state.withLock { $0.breakOff = nil }
    }

    /// What breaks the request off; at once when time is up already.
    func guards(_ breakOff: @escaping @Sendable () -> Void) {
        let isOver = state.withLock { state in
            state.breakOff = state.isOver ? nil : breakOff
            return state.isOver
        }
        if isOver { breakOff() }
    }

    /// The first byte of the answer is awaited.
    func awaitFirstByte() {
        expect(timeouts.firstByte, "The provider did not begin to answer within \(timeouts.firstByte.inWords).")
    }

    /// The next byte of the answer is awaited.
    func awaitNextByte() {
        expect(timeouts.idle, "The provider fell silent for \(timeouts.idle.inWords) in the middle of its answer.")
    }

    /// Everything is said. The provider has a moment to end its answer properly, which keeps the connection usable; if it
    /// does not, the request ends all the same, and well.
    func awaitEnd() {
        watch(for: Watch(deadline: .now + min(timeouts.idle, .milliseconds(250)), error: nil))
    }

    /// The provider is not what is being waited for.
    func rest() {
        state.withLock { $0.phase = nil }
        alarm.move(to: end)
    }

    /// Waits before the next attempt, if there is time for it. Throws ``AgentError/Code/timedOut`` when the whole took too long.
    func pause(for pause: Duration) async throws {
        try await Task.sleep(until: min(end, .now + pause), clock: .continuous)
        guard end > .now else { throw late }
    }

    private func expect(_ timeout: Duration, _ message: @autoclosure () -> String) {
        watch(for: Watch(deadline: .now + timeout, error: AgentError(.timedOut, message())))
    }

    private func watch(for next: Watch) {
        state.withLock { $0.phase = next }
        alarm.move(to: min(next.deadline, end))
    }

    /// The alarm rings. Its time may have been moved at the same moment: then it rings again.
    private func look() {
        let (isOver, breakOff) = state.withLock { state -> (Bool, (@Sendable () -> Void)?) in
            let now = ContinuousClock.now
            if let watch = state.phase, watch.deadline <= now {
                state.verdict = watch.error
            } else if end <= now {
                state.verdict = late
            } else {
                return (false, nil)
            }
            state.isOver = true
            return (true, state.breakOff.take())
        }
        guard isOver else { return }
        alarm.callOff()
        breakOff?()
    }

    private var late: AgentError {
        AgentError(.timedOut, "The provider did not finish within \(timeouts.total.inWords).")
    }
}
