import CSystemd
public import ServiceLifecycle

/// Feeds the watchdog of systemd (`WatchdogSec=`) for as long as the work loop works.
///
/// A timer that pings by itself proves only that the timer lives. So each ping is paid for by a `probe`, a token that
/// travels where the work travels (the executor, the pool's queue): while it does not come back no ping is sent, and
/// systemd ends and restarts the process.
public struct Watchdog: Service {
    private let period: Duration
    private let notifier: Notifier
    private let probe: @Sendable () async throws -> Void

    /// Pings at half of `timeout`, as sd_watchdog_enabled(3) recommends.
    public init(timeout: Duration, notifier: Notifier, probe: @escaping @Sendable () async throws -> Void) {
        self.period = timeout / 2
        self.notifier = notifier
        self.probe = probe
    }

    /// What `WatchdogSec=` asks for, or nil when systemd does not watch this process: sd_watchdog_enabled(3).
    ///
    /// It also removes `WATCHDOG_USEC` and `WATCHDOG_PID`, so call it before other threads read the environment.
    public static func takeTimeout() -> Duration? {
        var microseconds: UInt64 = 0
        // Above Int64 lies "infinity", which no watchdog waits for.
        guard sd_watchdog_enabled(1, &microseconds) > 0, let timeout = Int64(exactly: microseconds) else { return nil }
        return .microseconds(timeout)
    }

    /// Runs until graceful shutdown; systemd stops watching at STOPPING=1. A probe that throws earns no ping either.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            let clock = ContinuousClock()
            var next = clock.now
            while !Task.isCancelled {
                if (try? await probe()) != nil { notifier.watchdog() }
                // A late probe does not shift the beat, and does not let missed pings pile up.
                next = max(next.advanced(by: period), clock.now)
                try? await clock.sleep(until: next)
            }
        }
    }
}
