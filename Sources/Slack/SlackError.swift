/// Why Slack did not do what it was asked.
public struct SlackError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of reason that is.
    public enum Code: Sendable, Equatable {
        /// The token or the address cannot be used.
        case misconfigured
        /// Slack asked for fewer calls of this method, just now or a while ago.
        case limited
        /// Slack says no, with a word of its own.
        case refused
        /// Slack was not reached, or did not answer in time.
        case unreachable
        /// What came is no answer of Slack's.
        case invalidAnswer
    }

    /// The kind.
    public let code: Code
    /// A sentence; never the token.
    public let description: String
    /// Slack's own word, such as `channel_not_found`, where it said no.
    public let word: String?

    init(_ code: Code, _ description: String, word: String? = nil) {
        self.code = code
        self.description = description
        self.word = word
    }
}
