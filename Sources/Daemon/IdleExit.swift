internal import Logging
public import ServiceLifecycle
internal import Synchronization
internal import Systemd

/// Ends a daemon that has had nothing to do for a while. It was started by its sockets, which stay with systemd, and the next
/// connection starts it again.
///
/// What races with the end is not lost. A call that came in is finished, as at every stop; a connection that was accepted and
/// has asked for nothing is told `goaway`, and its caller connects again; one that was not accepted waits in the backlog of
/// systemd's socket, which starts the daemon as soon as it has ended.
public final class IdleExit: Service {
    /// What a daemon has done so far, a number that grows with all it does; nil while it does something.
    public typealias Activity = @Sendable () -> Int?

    private struct State {
        var time: Duration?
        var activity: Activity?
        var onEnd: (@Sendable () -> Void)?
    }

    private let notifier: Notifier
    private let status: StatusLine
    private let logger: Logger
    private let state = Mutex(State())
    private let ended = Atomic(false)
    /// Two looks that see the same are as far apart as nothing was done: a tenth of the time in between is near enough.
    private static let looks = 10

    init(notifier: Notifier, status: StatusLine, logger: Logger) {
        self.notifier = notifier
        self.status = status
        self.logger = logger
    }

    /// Whether the daemon ends because it had nothing to do.
    var hasEnded: Bool { ended.load(ordering: .acquiring) }

    /// How long it may have nothing to do; nil for as long as it likes. It counts from now.
    public func allow(_ time: Duration?) {
        state.withLock { $0.time = time }
    }

    /// What the daemon does, and what is to be said before it ends. Once, while composing.
    public func watch(_ activity: @escaping Activity, onEnd: @escaping @Sendable () -> Void) {
        state.withLock { state in
            state.activity = activity
            state.onEnd = onEnd
        }
    }

    /// Returns when there was nothing to do for long enough; that begins the graceful shutdown.
    public func run() async {
        await cancelWhenGracefulShutdown { await self.waitUntilIdle() }
        guard !Task.isCancelled, !Task.isShuttingDownGracefully else { return }
        ended.store(true, ordering: .releasing)
        logger.notice("nothing to do; ending until the next connection")
        state.withLock(\.onEnd)?()
        status.stop()
        notifier.stop()
        notifier.status("stopping; there was nothing to do")
    }

    private func waitUntilIdle() async {
        var since: (activity: Int, at: ContinuousClock.Instant)?
        while !Task.isCancelled {
            let (time, activity) = state.withLock { ($0.time, $0.activity) }
            let now = ContinuousClock.now
            guard let time, let done = activity?() else {
                since = nil
                try? await Task.sleep(for: time.map { $0 / Self.looks } ?? .seconds(60))
                continue
            }
            if since?.activity != done { since = (done, now) }
            if let since, since.at.duration(to: now) >= time { return }
            try? await Task.sleep(for: time / Self.looks)
        }
    }
}
