import CSystemd
internal import Glibc
import Synchronization

/// Tells the service manager how the process fares, sd_notify(3).
///
/// Nothing here throws and nothing waits for an answer: without a manager the words go nowhere. What is said is
/// public (`systemctl status` shows it to everybody), so no secret and no text of a reader belongs in it.
public final class Notifier: Sendable {
    /// Bytes of a status that are kept. systemd drops a whole message above 4096 bytes, and a status is one line of a
    /// terminal.
    public static let statusLimit = 256

    private let send: @Sendable (String) -> Void
    private struct Said {
        var ready = false
        var stopping = false
    }

    /// Held while sending too: READY=1 of one thread must not overtake STOPPING=1 of another.
    private let said = Mutex(Said())

    /// Sends to `$NOTIFY_SOCKET`, or nowhere when there is none.
    public convenience init() {
        self.init { message in _ = sd_notify(0, message) }
    }

    /// Gives every message to `send` instead.
    public init(send: @escaping @Sendable (String) -> Void) {
        self.send = send
    }

    /// `READY=1`: configuration is read and the listeners are armed. Not said once stopping; whether it was is
    /// returned.
    @discardableResult
    public func ready() -> Bool {
        said.withLock { said in
            guard !said.stopping else { return false }
            said.ready = true
            send("READY=1")
            return true
        }
    }

    /// `RELOADING=1`, with the time by the monotonic clock that later versions of systemd ask for. Not said before READY=1,
    /// nor once stopping.
    public func reloading() {
        said.withLock { said in
            guard said.ready, !said.stopping else { return }
            var now = timespec()
            clock_gettime(CLOCK_MONOTONIC, &now)
            send("RELOADING=1\nMONOTONIC_USEC=\(now.tv_sec * 1_000_000 + now.tv_nsec / 1_000)")
        }
    }

    /// `READY=1` again, after ``reloading()``.
    public func reloaded() {
        said.withLock { said in
            if said.ready, !said.stopping { send("READY=1") }
        }
    }

    /// `STOPPING=1`, the first time only.
    public func stop() {
        said.withLock { said in
            guard !said.stopping else { return }
            said.stopping = true
            send("STOPPING=1")
        }
    }

    /// `STATUS=` with one line of text, cut to ``statusLimit`` bytes.
    public func status(_ text: String) {
        send("STATUS=" + Self.oneLine(text))
    }

    /// `WATCHDOG=1`: the work loop is alive.
    public func watchdog() {
        send("WATCHDOG=1")
    }

    /// `EXTEND_TIMEOUT_USEC=`: starting or stopping needs at least this much longer, counted from now.
    public func extendTimeout(by duration: Duration) {
        let (seconds, attoseconds) = duration.components
        // A day at most: more is a mistake, and the multiplication cannot overflow.
        let microseconds = min(max(seconds, 0), 86_400) * 1_000_000 + max(attoseconds, 0) / 1_000_000_000_000
        send("EXTEND_TIMEOUT_USEC=\(microseconds)")
    }

    /// A newline would begin another assignment: a status could then claim READY=1.
    private static func oneLine(_ text: String) -> String {
        var line = ""
        for scalar in text.unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            let kept: Unicode.Scalar = isControl ? " " : scalar
            guard line.utf8.count + UTF8.width(kept) <= statusLimit else { break }
            line.unicodeScalars.append(kept)
        }
        return line
    }
}
