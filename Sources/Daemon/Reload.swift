public import Configuration
internal import Logging
internal import Synchronization
internal import Systemd

/// Reads the settings again: on SIGHUP, or at an administrator's wish.
///
/// First everybody who holds a setting looks at the new ones and prepares to take them, then all do. When one of them cannot
/// be used nobody takes any: the process goes on as it was, and says so in its status and its log.
public final class Reload: Sendable {
    /// Looks at the new settings, and returns what takes them into use. It throws when they cannot be used, as at the start,
    /// and changes nothing itself.
    public typealias Step = @Sendable (ConfigReader) throws -> @Sendable () -> Void

    /// What came of it.
    public struct Outcome: Sendable, Equatable {
        /// Settings with other values, which count from now on.
        public var changed: [String]
        /// Settings with other values, which count from the next start on.
        public var needRestart: [String]
    }

    private struct State {
        var settings: Settings
        var steps: [Step] = []
    }

    private let description: DaemonDescription
    private let read: @Sendable () throws(ConfigurationError) -> Settings
    private let threshold: LogThreshold
    private let status: StatusLine
    private let notifier: Notifier
    private let logger: Logger
    private let state: Mutex<State>
    /// One at a time: a SIGHUP and an administrator may come together. Apart from the state, which the steps may read.
    private let turn = Mutex(())

    init(
        _ description: DaemonDescription,
        settings: Settings,
        threshold: LogThreshold,
        status: StatusLine,
        notifier: Notifier,
        logger: Logger,
        read: @escaping @Sendable () throws(ConfigurationError) -> Settings
    ) {
        self.description = description
        self.threshold = threshold
        self.status = status
        self.notifier = notifier
        self.logger = logger
        self.read = read
        state = Mutex(State(settings: settings))
    }

    func add(_ step: @escaping Step) {
        state.withLock { $0.steps.append(step) }
    }

    /// Reads the settings again and takes those that can change.
    ///
    /// - Throws: ``ConfigurationError`` with the setting that cannot be used; then nothing has changed.
    public func run() throws(ConfigurationError) -> Outcome {
        let result = turn.withLock { _ in
            notifier.reloading()
            // Whatever came of it, the daemon works, as before or with the new settings.
            defer { notifier.reloaded() }
            return Result { () throws(ConfigurationError) in try take() }
        }
        switch result {
        case .success(let outcome):
            status.note(nil)
            logger.notice(
                "settings read again",
                metadata: [
                    "changed": "\(outcome.changed.joined(separator: " "))",
                    "need_restart": "\(outcome.needRestart.joined(separator: " "))",
                ]
            )
        case .failure(let error):
            status.note("settings not taken: \(error)")
            logger.error("settings not taken; those before still count", metadata: ["reason": "\(error)"])
        }
        return try result.get()
    }

    private func take() throws(ConfigurationError) -> Outcome {
        let settings = try read()
        let lifetime = try Lifetime(settings)
        let (old, steps) = state.withLock { ($0.settings, $0.steps) }
        var taking: [@Sendable () -> Void] = []
        for step in steps {
            do { taking.append(try step(settings.reader)) } catch {
                throw ConfigurationError(from: error) ?? ConfigurationError("\(error)")
            }
        }
        for take in taking { take() }
        threshold.setUsual(lifetime.logLevel)
        state.withLock { $0.settings = settings }
        let differing = description.settings.filter { settings.values[$0.variable] != old.values[$0.variable] }
        return Outcome(
            changed: differing.filter(\.isLive).map(\.name),
            needRestart: differing.filter { !$0.isLive }.map(\.name)
        )
    }
}
