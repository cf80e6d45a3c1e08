/// Gives a lease back: the runner cannot carry the run out. It goes to another, or ends when it was given back too often.
/// A lease that the runner has no longer is no error.
public struct ReleaseRun: Operation {
    /// The name on the wire.
    public static let name = "runs.release"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.agentRunner]
    /// What it answers with.
    public typealias Result = Done

    /// The run.
    public var run: RunID
    /// The runner, as it names itself.
    public var runner: String
    /// The attempt the lease is for.
    public var attempt: Int

    /// The call with its arguments.
    public init(run: RunID, runner: String, attempt: Int) {
        self.run = run
        self.runner = runner
        self.attempt = attempt
    }
}
