/// Appends events to a run; the event `finished`, when it is among them, ends the run and stores the answer, in the same
/// transaction. Events that are stored already are left as they are, so that it may be sent again.
///
/// Errors: `failed_precondition` when the writer has lost its lease, or there is no such run.
public struct AppendEvents: Operation {
    /// The name on the wire.
    public static let name = "runs.append_events"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.agentRunner, .admin]
    /// What it answers with.
    public typealias Result = Done

    /// The run.
    public var run: RunID
    /// The runner, as it names itself.
    public var runner: String
    /// The attempt the lease was given for: a write from an earlier one is refused.
    public var attempt: Int
    /// The events, numbered without a gap.
    public var events: [RunEvent]

    /// The call with its arguments.
    public init(run: RunID, runner: String, attempt: Int, events: [RunEvent]) {
        self.run = run
        self.runner = runner
        self.attempt = attempt
        self.events = events
    }
}
