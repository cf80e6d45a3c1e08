/// Starts a run live on the agent runner and streams its events as they are stored. A run id that the runner knows
/// already is followed instead of started twice; the caller going away does not stop the run.
///
/// Errors: `invalid_argument` (question empty or too long, unknown agent), `resource_exhausted` (the runner is full),
/// `unavailable` (the question could not be stored).
public struct StartRun: StreamingOperation {
    public static let name = "runs.start"
    public static let callers: Set<Role> = [.gateway, .admin]
    public typealias Item = RunEvent
    public typealias Result = Done

    public var run: RunID
    public var agent: String
    public var question: Question

    public init(run: RunID, agent: String = "documentation", question: Question) {
        self.run = run
        self.agent = agent
        self.question = question
    }
}
