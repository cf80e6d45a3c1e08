/// A runner's offer to work: each item is a run leased to it. The open stream is also the sign of life behind all its
/// leases: when the connection ends they are released at once.
public struct ClaimRuns: StreamingOperation {
    public static let name = "runs.claim"
    public static let callers: Set<Role> = [.agentRunner]
    public typealias Result = Done

    /// A run to carry out.
    public struct Item: Codable, Sendable, Equatable {
        public var run: RunID
        public var agent: String
        public var question: Question
        public var attempt: Int
        /// The number of the next event.
        public var next: Int

        public init(run: RunID, agent: String, question: Question, attempt: Int, next: Int) {
            self.run = run
            self.agent = agent
            self.question = question
            self.attempt = attempt
            self.next = next
        }
    }

    public var runner: String
    /// The runs the runner knows it has. What is leased to it beyond them was lost on the way and is free again.
    public var holding: [RunID]

    public init(runner: String, holding: [RunID]) {
        self.runner = runner
        self.holding = holding
    }
}
