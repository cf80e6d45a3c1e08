/// How every migration stands to the database. Answered also while the tables cannot be used.
public struct ListMigrations: Operation {
    /// The name on the wire.
    public static let name = "migrations.list"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// It changes nothing.
    public static let effect = Effect.reads

    /// A migration.
    public struct Standing: Codable, Sendable, Equatable {
        /// What became of it.
        public enum State: String, Codable, Sendable {
            /// It was applied.
            case applied
            /// It would be applied next, in its order.
            case missing
            /// It was applied, and its text is another one now.
            case edited
            /// It was applied, and this version of Octavo does not know it.
            case unknown
            /// It is missing, and one with a higher number was applied.
            case misplaced
        }

        /// A statement that locks a table for writes for more than a moment.
        public struct Lock: Codable, Sendable, Equatable {
            /// The line of the migration, from 1.
            public var line: Int
            /// What it does, as a sentence.
            public var why: String
            /// Why that is wanted, as the migration says.
            public var excuse: String?

            /// From its parts.
            public init(line: Int, why: String, excuse: String?) {
                self.line = line
                self.why = why
                self.excuse = excuse
            }
        }

        /// Its number.
        public var number: Int
        /// Its name.
        public var name: String
        /// What became of it.
        public var state: State
        /// When it was applied (RFC 3339).
        public var applied: String?
        /// What is wrong with it and how to mend it; nil when nothing is.
        public var problem: String?
        /// What it locks.
        public var locks: [Lock]

        /// From its parts.
        public init(number: Int, name: String, state: State, applied: String?, problem: String?, locks: [Lock]) {
            self.number = number
            self.name = name
            self.state = state
            self.applied = applied
            self.problem = problem
            self.locks = locks
        }
    }

    /// All of them, those that only the database knows included.
    public struct Result: Codable, Sendable, Equatable {
        /// By number.
        public var migrations: [Standing]

        /// From its parts.
        public init(migrations: [Standing]) {
            self.migrations = migrations
        }
    }

    /// The call with its arguments.
    public init() {}
}

/// Applies what is missing. Storage does so by itself when it starts; this is for trying again after a migration was
/// refused. Errors: `failed_precondition` with what is in the way.
public struct ApplyMigrations: Operation {
    /// The name on the wire.
    public static let name = "migrations.apply"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]

    /// What was applied.
    public struct Result: Codable, Sendable, Equatable {
        /// The numbers, in their order.
        public var applied: [Int]

        /// From its parts.
        public init(applied: [Int]) {
            self.applied = applied
        }
    }

    /// The call with its arguments.
    public init() {}
}
