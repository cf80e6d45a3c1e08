/// What followers of a run are told when an attempt failed by something that may pass, such as a model that is away.
public struct Postponement: Codable, Sendable, Equatable {
    /// The attempt that failed.
    public var attempt: Int
    /// Why, as a code of the protocol.
    public var code: String
    /// Why, in words for people.
    public var message: String
    /// When it is tried again at the earliest, as RFC 3339.
    public var until: String

    /// From its parts.
    public init(attempt: Int, code: String, message: String, until: String) {
        self.attempt = attempt
        self.code = code
        self.message = message
        self.until = until
    }
}
