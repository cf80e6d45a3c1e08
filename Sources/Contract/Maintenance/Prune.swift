/// Deletes questions whose runs ended so many days ago, with their runs and events, and idempotency keys older than a
/// week. A part at a time, so that nobody waits for it: call it until there is no more.
public struct Prune: Operation {
    /// The name on the wire.
    public static let name = "maintenance.prune"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// How long an idempotency key is kept: far longer than anybody tries again.
    public static let keyDays = 7
    /// The most questions, and the most keys, that one call deletes.
    public static let part = 1_000

    /// What was deleted, or would be.
    public struct Result: Codable, Sendable, Equatable {
        /// Questions.
        public var questions: Int
        /// Runs of these questions.
        public var runs: Int
        /// Events of these runs.
        public var events: Int
        /// Idempotency keys.
        public var keys: Int
        /// Whether there is more to delete.
        public var more: Bool

        /// Nothing.
        public init() {
            (questions, runs, events, keys, more) = (0, 0, 0, 0, false)
        }

        /// Adds what a further part came to.
        public mutating func add(_ part: Result) {
            questions += part.questions
            runs += part.runs
            events += part.events
            keys += part.keys
            more = part.more
        }
    }

    /// The age in days, 7 to 36,500: events are kept for a week at least.
    public var days: Int
    /// Whether nothing is deleted: then all of it is counted at once.
    public var isDryRun: Bool

    enum CodingKeys: String, CodingKey {
        case days
        case isDryRun = "dry_run"
    }

    /// The call with its arguments.
    public init(days: Int, isDryRun: Bool = false) {
        self.days = days
        self.isDryRun = isDryRun
    }
}
