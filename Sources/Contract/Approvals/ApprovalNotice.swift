/// What followers of a run are told of a call that waits for a person. What it would be called with is for those who decide.
public struct ApprovalNotice: Codable, Sendable, Equatable {
    /// The approval's number.
    public var approval: Int
    /// Where it stands.
    public var state: ListApprovals.State
    /// The agent that calls the tool.
    public var agent: String
    /// The tool.
    public var tool: String
    /// Until when somebody has to decide, as RFC 3339.
    public var expires: String
    /// Why it was denied, where somebody said so.
    public var reason: String?

    /// From its parts.
    public init(
        approval: Int,
        state: ListApprovals.State,
        agent: String,
        tool: String,
        expires: String,
        reason: String? = nil
    ) {
        self.approval = approval
        self.state = state
        self.agent = agent
        self.tool = tool
        self.expires = expires
        self.reason = reason
    }
}
