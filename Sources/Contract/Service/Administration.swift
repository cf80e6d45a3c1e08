/// Has a service log more, or less, for a while; answered like `GetHealth`. Errors: `invalid_argument`.
public struct SetLogLevel: Operation {
    /// The name on the wire.
    public static let name = "log.set_level"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// It changes what is written down of everybody's work.
    public static let effect = Effect.administers
    /// Seconds another level may last: a debug log that is forgotten fills the disk.
    public static let durations = 1...86_400

    /// What is logged from now on.
    public struct Result: Codable, Sendable, Equatable {
        /// The least level that is logged now.
        public var level: String
        /// The one that was asked for when the service started, which it falls back to.
        public var usual: String

        /// From its parts.
        public init(level: String, usual: String) {
            self.level = level
            self.usual = usual
        }
    }

    /// `trace`, `debug`, `info`, `notice`, `warning`, `error` or `critical`.
    public var level: String
    /// Seconds until it falls back by itself.
    public var seconds: Int
    /// That it is meant.
    public var confirm: Bool

    enum CodingKeys: String, CodingKey {
        case level, confirm
        case seconds = "for_s"
    }

    /// The call with its arguments.
    public init(level: String, seconds: Int) {
        self.level = level
        self.seconds = seconds
        confirm = true
    }
}

/// Has a service take no new work, and finish what it has; answered like `GetHealth`. It stays connected and says
/// `ready: false`. A restart ends it.
public struct DrainService: Operation {
    /// The name on the wire.
    public static let name = "drain"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// It turns work away.
    public static let effect = Effect.administers

    /// What is left to do.
    public struct Result: Codable, Sendable, Equatable {
        /// Calls in flight, without those that wait for things to come.
        public var inFlight: Int

        enum CodingKeys: String, CodingKey {
            case inFlight = "in_flight"
        }

        /// From its part.
        public init(inFlight: Int) {
            self.inFlight = inFlight
        }
    }

    /// That it is meant.
    public var confirm: Bool

    /// The call with its arguments.
    public init() {
        confirm = true
    }
}

/// Ends what `DrainService` began; answered like `GetHealth`.
public struct ResumeService: Operation {
    /// The name on the wire.
    public static let name = "resume"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// It lets work in.
    public static let effect = Effect.administers
    /// It is done.
    public typealias Result = Done

    /// That it is meant.
    public var confirm: Bool

    /// The call with its arguments.
    public init() {
        confirm = true
    }
}

/// Has a service read its settings again, as on SIGHUP. Errors: `failed_precondition` with the setting that cannot be used;
/// then nothing has changed.
public struct ReloadService: Operation {
    /// The name on the wire.
    public static let name = "reload"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// It changes what the service works with.
    public static let effect = Effect.administers

    /// What came of it.
    public struct Result: Codable, Sendable, Equatable {
        /// The agents whose files are others than before, by name.
        public struct Agents: Codable, Sendable, Equatable {
            /// Those that were not there.
            public var added: [String]
            /// Those that are another now.
            public var changed: [String]
            /// Those that are no longer there.
            public var removed: [String]

            /// From its parts.
            public init(added: [String] = [], changed: [String] = [], removed: [String] = []) {
                self.added = added
                self.changed = changed
                self.removed = removed
            }
        }

        /// Settings with other values, which count from now on.
        public var changed: [String]
        /// Settings with other values, which count from the next start on.
        public var needRestart: [String]
        /// Of the agent runner alone.
        public var agents: Agents?

        enum CodingKeys: String, CodingKey {
            case changed, agents
            case needRestart = "need_restart"
        }

        /// From its parts.
        public init(changed: [String], needRestart: [String], agents: Agents? = nil) {
            self.changed = changed
            self.needRestart = needRestart
            self.agents = agents
        }
    }

    /// That it is meant.
    public var confirm: Bool

    /// The call with its arguments.
    public init() {
        confirm = true
    }
}
