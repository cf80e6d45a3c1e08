public import Contract
public import Daemon
internal import Logging
internal import Wire

extension Operations {
    /// Adds what administrators may ask of the process itself: to log more for a while, and to read its settings again.
    ///
    /// - Parameter agents: What the last reload has done to the service's agents, where it has any.
    public mutating func administer(
        _ context: DaemonContext,
        agents: @escaping @Sendable () -> ReloadService.Result.Agents? = { nil }
    ) {
        let (threshold, reload) = (context.logThreshold, context.reload)
        atOnce(SetLogLevel.self) { set throws(ServiceError) in
            guard let level = Logger.Level(rawValue: set.level) else {
                let known = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
                throw .invalidArgument("level has to be one of \(known).")
            }
            guard SetLogLevel.durations.contains(set.seconds) else {
                throw .invalidArgument("for_s has to be from 1 to \(SetLogLevel.durations.upperBound).")
            }
            threshold.set(level, for: .seconds(set.seconds))
            return SetLogLevel.Result(level: threshold.level.rawValue, usual: threshold.usual.rawValue)
        }
        on(ReloadService.self) { _, _ in
            do throws(ConfigurationError) {
                let outcome = try reload.run()
                return ReloadService.Result(
                    changed: outcome.changed,
                    needRestart: outcome.needRestart,
                    agents: agents()
                )
            } catch {
                throw ServiceError.failedPrecondition("Nothing has changed: \(error)")
            }
        }
    }
}
