/// What agents do about a text that comes while they are at work, as their files say it: told by an agent runner when it begins, and
/// when its files have changed. What an administrator has said (``SetConduct``) wins.
///
/// Errors: `invalid_argument`.
public struct FileConducts: Operation {
    /// The name on the wire.
    public static let name = "conversations.file_conducts"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.agentRunner]
    /// What it answers with.
    public typealias Result = Done
    /// The most agents of one call; more than one runner may offer.
    public static let most = 1_000

    /// What one file says.
    public struct Conduct: Codable, Sendable, Equatable {
        /// The agent.
        public var agent: String
        /// Nil: its file says nothing.
        public var doubleText: SetConduct.DoubleText?

        enum CodingKeys: String, CodingKey {
            case agent
            case doubleText = "double_text"
        }

        /// From its parts.
        public init(agent: String, doubleText: SetConduct.DoubleText?) {
            self.agent = agent
            self.doubleText = doubleText
        }
    }

    /// Of each agent there is; those of others stay.
    public var conducts: [Conduct]

    /// The call with its arguments.
    public init(_ conducts: [Conduct]) {
        self.conducts = conducts
    }
}
