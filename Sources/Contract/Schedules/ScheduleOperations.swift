/// Makes a schedule. The same once more changes nothing.
///
/// Errors: `invalid_argument` for an expression or a time zone that is none, `already_exists` when the name belongs to another
/// one, `resource_exhausted` when there are too many.
public struct AddSchedule: Operation {
    /// The name on the wire.
    public static let name = "schedules.add"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// Every one is looked at when it is due; a thousand a minute are no work.
    public static let most = 1_000

    /// The schedule that was made.
    public struct Result: Codable, Sendable, Equatable {
        /// When it is due first, as RFC 3339.
        public var next: String
        /// Whether it was made by this call.
        public var isNew: Bool

        enum CodingKeys: String, CodingKey {
            case next
            case isNew = "new"
        }
    }

    /// What is made.
    public var schedule: Schedule

    /// The call with its arguments.
    public init(_ schedule: Schedule) {
        self.schedule = schedule
    }
}

/// The schedules, by name.
public struct ListSchedules: Operation {
    /// The name on the wire.
    public static let name = "schedules.list"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// It changes nothing.
    public static let effect = Effect.reads

    /// A page of them.
    public struct Result: Codable, Sendable, Equatable {
        /// One line of the list.
        public struct Line: Codable, Sendable, Equatable {
            /// What it is.
            public var schedule: Schedule
            /// Whether it is paused.
            public var paused: Bool
            /// When it is due next, as RFC 3339; absent while it is paused.
            public var next: String?
            /// The tick that was fired last, as RFC 3339.
            public var last: String?
            /// The run that this tick has begun.
            public var lastRun: RunID?
            /// How many ticks were missed, and not caught up with.
            public var missed: Int

            enum CodingKeys: String, CodingKey {
                case schedule, paused, next, last
                case lastRun = "last_run"
                case missed
            }
        }

        /// By name.
        public var schedules: [Line]
        /// The `after` of the next page.
        public var next: String?
    }

    /// The page begins behind this name; empty for the first.
    public var after: String
    /// Schedules on a page, 1 to 100.
    public var limit: Int

    /// The call with its arguments.
    public init(after: String = "", limit: Int = 100) {
        self.after = after
        self.limit = limit
    }
}

/// Takes a schedule away; the runs it has begun stay. Errors: `not_found`.
public struct RemoveSchedule: Operation {
    /// The name on the wire.
    public static let name = "schedules.remove"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// What it answers with.
    public typealias Result = Done

    /// Its name.
    public var schedule: String

    /// The call with its arguments.
    public init(_ schedule: String) {
        self.schedule = schedule
    }
}

/// Pauses a schedule, or lets it go on with the next tick from now; those of the pause are not caught up with. Errors: `not_found`.
public struct PauseSchedule: Operation {
    /// The name on the wire.
    public static let name = "schedules.pause"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// What it answers with.
    public typealias Result = Done

    /// Its name.
    public var schedule: String
    /// Whether it is paused from now on.
    public var paused: Bool

    /// The call with its arguments.
    public init(_ schedule: String, paused: Bool) {
        self.schedule = schedule
        self.paused = paused
    }
}

/// When a schedule is due next, or an expression that is none yet. Errors: `not_found`, `invalid_argument`.
public struct NextTicks: Operation {
    /// The name on the wire.
    public static let name = "schedules.next"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// It changes nothing.
    public static let effect = Effect.reads

    /// Its ticks.
    public struct Result: Codable, Sendable, Equatable {
        /// One of them.
        public struct Tick: Codable, Sendable, Equatable {
            /// In UTC, as RFC 3339.
            public var at: String
            /// What clocks in the zone show then.
            public var local: String
        }

        /// The next ones, in their order.
        public var ticks: [Tick]
    }

    /// A schedule by its name.
    public var schedule: String?
    /// Or an expression.
    public var cron: String?
    /// And its zone; UTC when left out.
    public var zone: String?
    /// How many, 1 to 100.
    public var count: Int

    /// The call with its arguments.
    public init(schedule: String? = nil, cron: String? = nil, zone: String? = nil, count: Int = 5) {
        self.schedule = schedule
        self.cron = cron
        self.zone = zone
        self.count = count
    }
}

/// Begins a schedule's run now, beside its ticks, also while it is paused. Errors: `not_found`.
public struct FireSchedule: Operation {
    /// The name on the wire.
    public static let name = "schedules.fire"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// The run.
    public typealias Result = EnqueueRun.Result

    /// Its name.
    public var schedule: String
    /// The run that is begun: the same again changes nothing.
    public var run: RunID

    /// The call with its arguments.
    public init(_ schedule: String, run: RunID = .new()) {
        self.schedule = schedule
        self.run = run
    }
}
