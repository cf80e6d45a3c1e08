/// Calls of tools that wait for a person, or have waited: newest first.
public struct ListApprovals: Operation {
    /// The name on the wire.
    public static let name = "approvals.list"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// It changes nothing.
    public static let effect = Effect.reads

    /// What became of one.
    public enum State: String, Choice {
        /// Somebody has to decide.
        case pending
        /// It may be called, once.
        case approved
        /// It may not.
        case denied
        /// Nobody decided in time.
        case expired
        /// It was called.
        case used
        /// Something else was asked in its place, or the run has ended.
        case void
    }

    /// A page of them.
    public struct Result: Codable, Sendable, Equatable {
        /// One line of the list.
        public struct Line: Codable, Sendable, Equatable {
            /// Its number.
            public var approval: Int
            /// The run.
            public var run: RunID
            /// The agent that calls the tool: the run's, or one that it asks or consists of.
            public var agent: String
            /// What the reader asked, its beginning.
            public var question: String
            /// The tool.
            public var tool: String
            /// What it would be called with.
            public var arguments: String
            /// The SHA-256 of the tool's name and the arguments, in hex: what is approved.
            public var hash: String
            /// Where it stands.
            public var state: State
            /// When it was asked, as RFC 3339.
            public var asked: String
            /// Until when it counts.
            public var expires: String
            /// Why somebody has to decide, where it is not for a rule.
            public var why: String?
            /// Who decided.
            public var by: String?
            /// Why.
            public var reason: String?
        }

        /// Newest first.
        public var approvals: [Line]
    }

    /// Only those in this state.
    public var state: State?
    /// How many, 1 to 100.
    public var limit: Int

    /// The call with its arguments.
    public init(state: State? = nil, limit: Int = 20) {
        self.state = state
        self.limit = limit
    }
}

/// Decides about a call of a tool, as the person at the other end of the socket.
///
/// Errors: `not_found`, `failed_precondition` when it was decided before, its time is over or the run has ended.
public struct DecideApproval: Operation {
    /// The name on the wire.
    public static let name = "approvals.decide"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// What it answers with.
    public typealias Result = Done
    /// The most bytes of a reason.
    public static let maximumReasonBytes = 1_000

    /// The approval.
    public var approval: Int
    /// Whether it may be called.
    public var approve: Bool
    /// Why not: the model is told.
    public var reason: String?

    /// The call with its arguments.
    public init(_ approval: Int, approve: Bool, reason: String? = nil) {
        self.approval = approval
        self.approve = approve
        self.reason = reason
    }
}

/// Says which tool of an agent a person has to approve, each call of it, and how long they have; or that none has to any more.
public struct RequireApproval: Operation {
    /// The name on the wire.
    public static let name = "approvals.require"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// What it answers with.
    public typealias Result = Done
    /// The longest time: a month.
    public static let longestSeconds = 31 * 86_400

    /// The agent.
    public var agent: String
    /// The tool.
    public var tool: String
    /// How long somebody has to decide; nil: nobody has to.
    public var seconds: Int?

    /// The call with its arguments.
    public init(agent: String, tool: String, seconds: Int?) {
        self.agent = agent
        self.tool = tool
        self.seconds = seconds
    }
}
