/// Ends a run, and the runs it has begun, whatever state they are in. Their work stops within a second; what it still says is
/// refused. One that was cancelled before is no error.
///
/// Errors: `not_found`; `failed_precondition` when it has ended otherwise.
public struct CancelRun: Operation {
    /// The name on the wire.
    public static let name = "runs.cancel"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.gateway, .agentRunner, .admin]
    /// What it answers with.
    public typealias Result = Done

    /// The run.
    public var run: RunID

    /// The call with its arguments.
    public init(run: RunID) {
        self.run = run
    }
}

/// Asks the question of a run that has ended once more, as a new run of the same agent. The same new run again changes
/// nothing.
///
/// Errors: `not_found`; `failed_precondition` when it has not ended; `already_exists` when the new id belongs to another
/// question.
public struct RetryRun: Operation {
    /// The name on the wire.
    public static let name = "runs.retry"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.gateway, .admin]
    /// What it answers with.
    public typealias Result = EnqueueRun.Result

    /// The run that has ended.
    public var run: RunID
    /// The new run.
    public var new: RunID
    /// The trace it belongs to, as W3C Trace Context writes it; the call's when left out.
    public var traceparent: String?

    /// The call with its arguments.
    public init(run: RunID, new: RunID = .new()) {
        self.run = run
        self.new = new
    }
}
