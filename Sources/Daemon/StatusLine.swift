internal import ServiceLifecycle
internal import Synchronization
internal import Systemd

/// What `systemctl status` shows of the daemon in one line: `ready; 3 calls, 2 runs`. Looked at every few seconds, and said
/// when it has changed.
final class StatusLine: Service {
    private static let pause = Duration.seconds(5)

    private struct State {
        var describe: (@Sendable () -> String)?
        /// What somebody should look at, until it is mended.
        var note: String?
        var said = ""
        var isStopping = false
    }

    private let notifier: Notifier
    private let state = Mutex(State())

    init(notifier: Notifier) {
        self.notifier = notifier
    }

    func describe(_ describe: @escaping @Sendable () -> String) {
        state.withLock { $0.describe = describe }
    }

    /// Something to be shown behind the rest, or no more.
    func note(_ note: String?) {
        state.withLock { $0.note = note }
        say()
    }

    /// The last word is not this one's.
    func stop() {
        state.withLock { $0.isStopping = true }
    }

    func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.pause)
                self.say()
            }
        }
    }

    private func say() {
        // Apart from the lock: what describes the daemon takes locks of its own.
        let (describe, note) = state.withLock { ($0.describe, $0.note) }
        guard let describe else { return }
        let line = [describe(), note].compactMap(\.self).joined(separator: "; ")
        let isNews = state.withLock { state in
            guard !state.isStopping, state.said != line else { return false }
            state.said = line
            return true
        }
        if isNews { notifier.status(line) }
    }
}
