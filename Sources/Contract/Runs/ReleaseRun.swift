/// Gives a lease back: the runner does not carry the run out to its end. It goes to another, or ends when it has failed too
/// often. A lease that the runner has no longer is no error.
public struct ReleaseRun: Operation {
    /// The name on the wire.
    public static let name = "runs.release"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.agentRunner, .admin]
    /// What it answers with.
    public typealias Result = Done

    /// Why a lease is given back.
    public enum Reason: String, Choice {
        /// The runner is being stopped: no try is counted.
        case drained
        /// The runner cannot carry it out: queued again at once.
        case lost
        /// The attempt failed by something that may pass: tried again after a pause.
        case failed
        /// The same, since its provider is left alone, or wants to be: none of its tries, unless it has waited for that for four minutes.
        case held
        /// A person has to approve something first: it goes on when they have decided. No try is counted.
        case awaiting
    }

    /// The run.
    public var run: RunID
    /// The runner, as it names itself.
    public var runner: String
    /// The attempt the lease is for.
    public var attempt: Int
    /// Why.
    public var reason: Reason
    /// What went wrong, where the attempt failed or was held: the run's outcome if it was the last try.
    public var error: Outcome.Failure?
    /// It is not tried again before this time is over.
    public var afterMilliseconds: Int?
    /// Nor later than this: then the run ends as it does after its last try. Nil where its agent has no limit of time.
    public var withinMilliseconds: Int?

    enum CodingKeys: String, CodingKey {
        case run, runner, attempt, reason, error
        case afterMilliseconds = "after_ms"
        case withinMilliseconds = "within_ms"
    }

    /// The call with its arguments.
    public init(
        run: RunID,
        runner: String,
        attempt: Int,
        reason: Reason,
        error: Outcome.Failure? = nil,
        afterMilliseconds: Int? = nil,
        withinMilliseconds: Int? = nil
    ) {
        self.run = run
        self.runner = runner
        self.attempt = attempt
        self.reason = reason
        self.error = error
        self.afterMilliseconds = afterMilliseconds
        self.withinMilliseconds = withinMilliseconds
    }
}
