/// A run with its question and, when it has ended, its outcome. Errors: `not_found`.
public struct GetRun: Operation {
    public static let name = "runs.get"
    public static let callers: Set<Role> = [.gateway, .agentRunner, .admin]

    /// A run as it stands in the record.
    public struct Result: Codable, Sendable, Equatable {
        public var id: RunID
        public var state: RunState
        public var agent: String
        public var question: Question
        public var attempt: Int
        /// The number of the last event.
        public var events: Int
        public var created: String
        public var finished: String?
        public var outcome: Outcome?
    }

    public var run: RunID

    public init(run: RunID) {
        self.run = run
    }
}

/// The latest runs, newest first. `before` continues behind a run of an earlier page.
public struct ListRuns: Operation {
    public static let name = "runs.list"
    public static let callers: Set<Role> = [.gateway, .admin]

    /// A page of runs.
    public struct Result: Codable, Sendable, Equatable {
        /// One line of the list.
        public struct Line: Codable, Sendable, Equatable {
            public var id: RunID
            public var state: RunState
            public var agent: String
            public var question: String
            public var created: String
        }

        public var runs: [Line]
    }

    public var before: RunID?
    /// Runs on a page, 1 to 100.
    public var limit: Int

    public init(before: RunID? = nil, limit: Int = 20) {
        self.before = before
        self.limit = limit
    }
}

/// The events of a run behind `after`, those stored and then those to come, until the run has ended. Errors: `not_found`.
public struct FollowRun: StreamingOperation {
    public static let name = "runs.follow"
    public static let callers: Set<Role> = [.gateway, .agentRunner, .admin]
    public typealias Item = RunEvent
    public typealias Result = Done

    public var run: RunID
    /// The last number the caller has seen; 0 for all.
    public var after: Int

    public init(run: RunID, after: Int = 0) {
        self.run = run
        self.after = after
    }
}
