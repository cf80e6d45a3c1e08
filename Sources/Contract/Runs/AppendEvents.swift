/// Appends events to a run; the event `finished`, when it is among them, ends the run and stores the answer, in the same
/// transaction. Events that are stored already are left as they are, so that it may be sent again.
///
/// Errors: `failed_precondition` when the writer has lost its lease, `not_found`.
public struct AppendEvents: Operation {
    public static let name = "runs.append_events"
    public static let callers: Set<Role> = [.agentRunner]
    public typealias Result = Done

    public var run: RunID
    public var runner: String
    /// The attempt the lease was given for: a write from an earlier one is refused.
    public var attempt: Int
    public var events: [RunEvent]

    public init(run: RunID, runner: String, attempt: Int, events: [RunEvent]) {
        self.run = run
        self.runner = runner
        self.attempt = attempt
        self.events = events
    }
}
