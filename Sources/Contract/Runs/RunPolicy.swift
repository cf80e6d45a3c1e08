public import Wire

/// How long a run may take, and how often it is tried; the same for one from the queue and for one a reader waits for.
public struct RunPolicy: Sendable, Equatable {
    /// The longest deadline: a year.
    public static let longestMilliseconds = 365 * 86_400_000

    /// How often a run may be tried.
    public static let triesRange = 1...100

    /// It is ended when this time is over; nil: never.
    public var deadlineMilliseconds: Int?
    /// How often it may fail or be lost, 1 to 100; nil: 5.
    public var tries: Int?

    /// From its parts.
    public init(deadlineMilliseconds: Int? = nil, tries: Int? = nil) {
        self.deadlineMilliseconds = deadlineMilliseconds
        self.tries = tries
    }

    /// Refuses what no service takes. Errors: `invalid_argument`.
    public func check() throws(ServiceError) {
        if let tries, !Self.triesRange.contains(tries) {
            throw .invalidArgument("tries has to be from 1 to 100.")
        }
        if let deadlineMilliseconds, !(1...Self.longestMilliseconds).contains(deadlineMilliseconds) {
            throw .invalidArgument("deadline_ms has to be from 1 to \(Self.longestMilliseconds).")
        }
    }
}
