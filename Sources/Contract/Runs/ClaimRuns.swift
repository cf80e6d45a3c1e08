/// A runner's offer to work: each item is a run leased to it. The open stream is also the sign of life behind all its
/// leases: when the connection ends they are released at once.
public struct ClaimRuns: StreamingOperation {
    /// The name on the wire.
    public static let name = "runs.claim"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.agentRunner]
    /// What it answers with.
    public typealias Result = Done

    /// A run to carry out.
    public struct Item: Codable, Sendable, Equatable {
        /// The run.
        public var run: RunID
        /// The agent's name.
        public var agent: String
        /// What is asked.
        public var question: Question
        /// The attempt the lease is for.
        public var attempt: Int
        /// The number of the next event.
        public var next: Int

        /// From its parts.
        public init(run: RunID, agent: String, question: Question, attempt: Int, next: Int) {
            self.run = run
            self.agent = agent
            self.question = question
            self.attempt = attempt
            self.next = next
        }
    }

    /// The runner, as it names itself.
    public var runner: String
    /// The runs the runner knows it has. What is leased to it beyond them was lost on the way and is free again.
    public var holding: [RunID]

    /// The call with its arguments.
    public init(runner: String, holding: [RunID]) {
        self.runner = runner
        self.holding = holding
    }
}
