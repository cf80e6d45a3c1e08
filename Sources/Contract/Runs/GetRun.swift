/// A run with its question and, when it has ended, its outcome. Errors: `not_found`.
public struct GetRun: Operation {
    /// The name on the wire.
    public static let name = "runs.get"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.gateway, .agentRunner, .admin]

    /// A run as it stands in the record.
    public struct Result: Codable, Sendable, Equatable {
        /// Its id.
        public var id: RunID
        /// Where it stands.
        public var state: RunState
        /// The agent's name.
        public var agent: String
        /// What is asked.
        public var question: Question
        /// The number of its latest lease; 0 before the first.
        public var attempt: Int
        /// How many attempts failed, were held or were lost, while it is under way.
        public var failures: Int?
        /// The number of the last event.
        public var events: Int
        /// The run whose question it asks once more.
        public var retryOf: RunID?
        /// When it falls due, as RFC 3339, while it is scheduled.
        public var due: String?
        /// Its priority, while it is under way.
        public var priority: Int?
        /// Its lane, while it is under way; told to administrators alone.
        public var lane: String?
        /// When it ends whatever its state, as RFC 3339, while it is under way.
        public var deadline: String?
        /// The trace it belongs to: `journalctl TRACE_ID=…`, and its spans where those are kept.
        public var traceID: String?
        /// When it was asked, as RFC 3339.
        public var created: String
        /// When its first attempt said the first thing, as RFC 3339.
        public var began: String?
        /// When it ended, as RFC 3339.
        public var finished: String?
        /// How it ended.
        public var outcome: Outcome?
        /// Its calls of models and tools in the order in which they were begun, the first 500.
        public var steps: [RunStep]

        enum CodingKeys: String, CodingKey {
            case id, state, agent, question, attempt, failures, events
            case retryOf = "retry_of"
            case traceID = "trace_id"
            case due, priority, lane, deadline
            case created, began, finished, outcome, steps
        }
    }

    /// The run.
    public var run: RunID

    /// The call with its arguments.
    public init(run: RunID) {
        self.run = run
    }
}

/// The latest runs, newest first. `before` continues behind a run of an earlier page.
public struct ListRuns: Operation {
    /// The name on the wire.
    public static let name = "runs.list"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.gateway, .admin]

    /// A page of runs.
    public struct Result: Codable, Sendable, Equatable {
        /// One line of the list.
        public struct Line: Codable, Sendable, Equatable {
            /// Its id.
            public var id: RunID
            /// Where it stands.
            public var state: RunState
            /// The agent's name.
            public var agent: String
            /// The beginning of what was asked.
            public var question: String
            /// When it was asked, as RFC 3339.
            public var created: String
        }

        /// Newest first.
        public var runs: [Line]
    }

    /// Only those in this state.
    public var state: RunState?
    /// The page continues behind this run.
    public var before: RunID?
    /// Runs on a page, 1 to 100.
    public var limit: Int

    /// The call with its arguments.
    public init(state: RunState? = nil, before: RunID? = nil, limit: Int = 20) {
        self.state = state
        self.before = before
        self.limit = limit
    }
}

/// The events of a run behind `after`, those stored and then those to come, until the run has ended. Errors: `not_found`.
public struct FollowRun: StreamingOperation {
    /// The name on the wire.
    public static let name = "runs.follow"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.gateway, .agentRunner, .admin]
    /// What its stream brings.
    public typealias Item = RunEvent
    /// What it answers with.
    public typealias Result = Done

    /// The run.
    public var run: RunID
    /// The last number the caller has seen; 0 for all.
    public var after: Int

    /// The call with its arguments.
    public init(run: RunID, after: Int = 0) {
        self.run = run
        self.after = after
    }
}
