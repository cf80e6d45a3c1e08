public import Logging
internal import Synchronization

/// The least level that the loggers of the process write. It can change while the process runs: for a while, at an
/// administrator's wish, or with the settings.
public final class LogThreshold: Sendable {
    private struct State {
        var usual: Logger.Level
        var other: (level: Logger.Level, until: ContinuousClock.Instant)?
    }

    private let state: Mutex<State>

    init(_ usual: Logger.Level) {
        state = Mutex(State(usual: usual))
    }

    /// What is logged now. It falls back by itself, without anybody having to be there at that moment.
    public var level: Logger.Level {
        state.withLock { state in
            guard let other = state.other, ContinuousClock.now < other.until else { return state.usual }
            return other.level
        }
    }

    /// What it falls back to: the setting `OCTAVO_LOG`.
    public var usual: Logger.Level { state.withLock(\.usual) }

    /// Logs from this level on, for a while.
    public func set(_ level: Logger.Level, for time: Duration) {
        state.withLock { $0.other = (level, .now + time) }
    }

    /// Takes another setting.
    func setUsual(_ level: Logger.Level) {
        state.withLock { $0.usual = level }
    }
}
