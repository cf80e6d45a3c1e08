public import Wire

/// Times at which a run of an agent begins, or a command. What its parts mean is in `protocol/schedules.md`.
public struct Schedule: Codable, Sendable, Equatable {
    /// What becomes of ticks that nobody was there for.
    public enum CatchUp: String, Choice {
        /// They are let go.
        case none
        /// The latest one is fired, if no other one is due.
        case last
        /// They are fired, up to a number.
        case all
    }

    /// The longest name, in UTF-8 bytes.
    public static let maximumNameBytes = 100
    /// The most ticks that are caught up with at once.
    public static let mostCaughtUp = 100

    /// Its name; there is one of each.
    public var name: String
    /// When, as cron has it.
    public var cron: String
    /// The time zone by its IANA name, such as `Europe/Berlin`.
    public var zone: String
    /// The agent that is asked; absent for a command.
    public var agent: String?
    /// What is asked.
    public var question: String?
    /// The words of a command of `octavo run`, its name first.
    public var command: [String]?
    /// 0 to 3; 1 when left out.
    public var priority: Int?
    /// How often a run may fail or be lost: 5 when left out, for a command 1.
    public var tries: Int?
    /// A run fails when this time is over since its tick was fired.
    public var deadlineMilliseconds: Int?
    /// `last` when left out.
    public var catchUp: CatchUp?
    /// With `all`: at most so many, 1 to 100, the latest; 10 when left out.
    public var catchUpMost: Int?

    enum CodingKeys: String, CodingKey {
        case name, cron, zone, agent, question, command, priority, tries
        case deadlineMilliseconds = "deadline_ms"
        case catchUp = "catch_up"
        case catchUpMost = "catch_up_most"
    }

    /// A question that is asked at these times.
    public init(name: String, cron: String, zone: String = "UTC", agent: String = "documentation", question: String) {
        self.name = name
        self.cron = cron
        self.zone = zone
        self.agent = agent
        self.question = question
    }

    /// A command that is carried out at these times.
    public init(name: String, cron: String, zone: String = "UTC", command: [String]) {
        self.name = name
        self.cron = cron
        self.zone = zone
        self.command = command
    }
}

/// A command of `octavo run` as a run: that of an agent of this name, whose question is the command's words. Only storage
/// begins such runs, from schedules that administrators made.
public enum CommandRun {
    /// The name no agent has.
    public static let agent = "command"
    /// The most bytes of all its words.
    public static let maximumBytes = 1_000

    /// A command as a question; its words hold no spaces.
    public static func question(_ words: [String]) -> String { words.joined(separator: " ") }

    /// The words of such a question.
    public static func words(_ question: String) -> [String] { question.split(separator: " ").map(String.init) }

    /// Refuses what only storage may begin. Errors: `permission_denied`.
    public static func check(_ agent: String) throws(ServiceError) {
        guard agent != Self.agent else {
            throw .permissionDenied("Commands are begun by schedules: octavo schedules fire NAME begins one now.")
        }
    }
}
