import Synchronization

/// Sees to it that a request does not outlast its timeouts: it runs beside the request and ends both when time is up.
final class Watchdog: Sendable {
    private struct Watch {
        let deadline: ContinuousClock.Instant
        /// `nil` ends the request without complaint.
        let error: AgentError?
    }

    private let timeouts: ProviderTimeouts
    private let end: ContinuousClock.Instant
    private let alarm: Alarm
    private let phase = Mutex<Watch?>(nil)
    private let expired = Mutex<AgentError?>(nil)

    /// Why the work was ended here, if it was.
    var verdict: AgentError? { expired.withLock { $0 } }

    private init(_ timeouts: ProviderTimeouts) {
        self.timeouts = timeouts
        let end = ContinuousClock.now + timeouts.total
        self.end = end
        alarm = Alarm(at: end)
    }

    /// Runs `work`; when a phase it announced or the whole takes too long, cancels it and throws
    /// ``AgentError/Code/timedOut``.
    static func guarding(
        _ timeouts: ProviderTimeouts,
        _ work: @escaping @Sendable (Watchdog) async throws -> Void
    ) async throws {
        let watchdog = Watchdog(timeouts)
        try await withThrowingTaskGroup { group in
            group.addTask { try await work(watchdog) }
            group.addTask { try await watchdog.watch() }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// The first byte of the answer is awaited.
    func awaitFirstByte() {
        expect(timeouts.firstByte, "The provider did not begin to answer within \(timeouts.firstByte).")
    }

    /// The next byte of the answer is awaited.
    func awaitNextByte() {
        expect(timeouts.idle, "The provider fell silent for \(timeouts.idle) in the middle of its answer.")
    }

    /// Everything is said. The provider has a moment to end its answer properly, which keeps the connection usable; if it
    /// does not, the request ends all the same, and well.
    func awaitEnd() {
        watch(for: Watch(deadline: .now + min(timeouts.idle, .milliseconds(250)), error: nil))
    }

    /// The provider is not what is being waited for.
    func rest() {
        phase.withLock { $0 = nil }
        alarm.move(to: end)
    }

    private func expect(_ timeout: Duration, _ message: String) {
        watch(for: Watch(deadline: .now + timeout, error: AgentError(.timedOut, message)))
    }

    private func watch(for next: Watch) {
        phase.withLock { $0 = next }
        alarm.move(to: min(next.deadline, end))
    }

    private func watch() async throws {
        while true {
            try await alarm.wait()
            if let watch = phase.withLock({ $0 }), watch.deadline <= .now {
                guard let error = watch.error else { return }
                throw expire(error)
            }
            if end <= .now {
                throw expire(AgentError(.timedOut, "The provider did not finish within \(timeouts.total)."))
            }
        }
    }

    private func expire(_ error: AgentError) -> AgentError {
        expired.withLock { $0 = error }
        return error
    }
}
