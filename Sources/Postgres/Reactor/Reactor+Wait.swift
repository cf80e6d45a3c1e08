import CLinux
import Glibc
import Synchronization

extension Reactor {
    typealias Instant = ContinuousClock.Instant

    /// How a wait ended.
    enum WaitOutcome {
        case ready(Interest)
        case deadlinePassed
        /// `interrupt` or `forget` was called for the descriptor.
        case interrupted
        /// The kernel refused to watch the descriptor.
        case failed(errno: Int32)
    }

    /// Who is told about a descriptor: at most one at a time.
    enum Wait {
        case suspended(CheckedContinuation<WaitOutcome, Never>)
        case watched(@Sendable () -> Void)
    }

    enum DeadlineKey: Hashable {
        case descriptor(Int32)
        case timer(UInt64)
    }

    /// Suspends until `descriptor` is ready, the deadline passes or somebody interrupts. Call it on the reactor.
    ///
    /// The kernel is asked anew at every wait, since libpq may have closed the socket and opened another one under the
    /// same number. A wake-up can be spurious.
    func wait(_ descriptor: Int32, for interest: Interest, until deadline: Instant) async -> WaitOutcome {
        await withCheckedContinuation { continuation in
            checkIsolated()
            // Before the kernel is asked: between two lines of an asynchronous function the loop may turn.
            replaceWait(descriptor, with: .suspended(continuation))
            deadlines.set(.descriptor(descriptor), deadline)
            let error = octavo_epoll_arm(epoll, descriptor, interest.rawValue)
            if error != 0 { finish(descriptor, .failed(errno: error)) }
        }
    }

    /// Calls `callback` once, on the reactor, when `descriptor` becomes readable, unless a wait or a watch replaces it.
    func watch(_ descriptor: Int32, _ callback: @escaping @Sendable () -> Void) {
        checkIsolated()
        guard octavo_epoll_arm(epoll, descriptor, Interest.read.rawValue) == 0 else { return submit(callback) }
        replaceWait(descriptor, with: .watched(callback))
    }

    /// Ends the wait for `descriptor`, if somebody is suspended there.
    func interrupt(_ descriptor: Int32) {
        checkIsolated()
        guard case .suspended = waits[descriptor] else { return }
        finish(descriptor, .interrupted)
    }

    /// Drops everything known of `descriptor`. Must come before the descriptor is closed: epoll loses a closed socket
    /// without a word, and whoever waits for it would sleep for ever.
    func forget(_ descriptor: Int32) {
        checkIsolated()
        octavo_epoll_forget(epoll, descriptor)
        finish(descriptor, .interrupted)
    }

    /// A number no other timer has.
    static func newTimer() -> UInt64 { timerCount.add(1, ordering: .relaxed).newValue }
    private static let timerCount = Atomic<UInt64>(0)

    /// Calls `action` on the reactor at `instant`, in place of what was scheduled under `timer` before. From any thread.
    func schedule(_ timer: UInt64, at instant: Instant, _ action: @escaping @Sendable () -> Void) {
        submit {
            self.timers[timer] = action
            self.deadlines.set(.timer(timer), instant)
        }
    }

    /// Takes back what was scheduled under `timer`. From any thread.
    func unschedule(_ timer: UInt64) {
        submit {
            self.timers[timer] = nil
            self.deadlines.remove(.timer(timer))
        }
    }

    /// Tells whoever waits for `descriptor`. An event for a descriptor nobody waits for any more is dropped; the kernel
    /// has disarmed it.
    func finish(_ descriptor: Int32, _ outcome: WaitOutcome) {
        guard let wait = waits.removeValue(forKey: descriptor) else { return }
        deadlines.remove(.descriptor(descriptor))
        switch (wait, outcome) {
        case (.suspended(let continuation), _): continuation.resume(returning: outcome)
        case (.watched(let callback), .ready): callback()
        case (.watched, _): break
        }
    }

    /// Ends what has reached its deadline.
    func expire() {
        guard deadlines.earliest != nil else { return }
        let now = Instant.now
        while let key = deadlines.popExpired(at: now) {
            switch key {
            case .descriptor(let descriptor): finish(descriptor, .deadlinePassed)
            case .timer(let timer): timers.removeValue(forKey: timer)?()
            }
        }
    }

    private func replaceWait(_ descriptor: Int32, with wait: Wait) {
        // Two suspended operations on one descriptor would be a mistake in this module; the older one is let go, never
        // left behind.
        finish(descriptor, .interrupted)
        waits[descriptor] = wait
    }
}
