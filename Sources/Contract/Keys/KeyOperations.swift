/// What is known of a key: everything but the key.
public struct KeyEntry: Codable, Sendable, Equatable {
    /// Its id.
    public var id: Int
    /// What it is for, as the administrator named it.
    public var name: String
    /// How it begins, `octavo_7`: by this it is told in logs.
    public var prefix: String
    /// When it was made.
    public var created: String
    /// When it was last used, within a minute; absent when it never was.
    public var lastUsed: String?
    /// When it ends by itself; absent when it does not.
    public var expires: String?
    /// When it was revoked; absent when it was not.
    public var revoked: String?

    enum CodingKeys: String, CodingKey {
        case id, name, prefix, created, expires, revoked
        case lastUsed = "last_used"
    }

    /// Characters of a name.
    public static let nameLength = 1...100
}

/// Makes a key. Its text is in this answer and nowhere else. Errors: `already_exists` when a key in force has that name,
/// `resource_exhausted` when too many are in force.
public struct CreateKey: Operation {
    /// The name on the wire.
    public static let name = "keys.create"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// Keys that may be in force at once: one for each program that calls is far fewer.
    public static let most = 1_000
    /// Seconds a key may be made for: a minute to ten years.
    public static let lifetimes = 60...315_360_000

    /// The key that was made.
    public struct Result: Codable, Sendable, Equatable {
        /// What is known of it from now on.
        public var entry: KeyEntry
        /// The key itself, shown this once.
        public var key: String

        /// From its parts.
        public init(entry: KeyEntry, key: String) {
            self.entry = entry
            self.key = key
        }
    }

    /// What it is for, 1 to 100 characters.
    public var name: String
    /// Seconds until it ends by itself; nil for never.
    public var lifetimeSeconds: Int?

    enum CodingKeys: String, CodingKey {
        case name
        case lifetimeSeconds = "lifetime_s"
    }

    /// The call with its arguments.
    public init(name: String, lifetimeSeconds: Int? = nil) {
        self.name = name
        self.lifetimeSeconds = lifetimeSeconds
    }
}

/// The keys, by id, revoked ones too. A page of up to 500 begins behind `after`.
public struct ListKeys: Operation {
    /// The name on the wire.
    public static let name = "keys.list"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// It changes nothing.
    public static let effect = Effect.reads

    /// A page of keys.
    public struct Result: Codable, Sendable, Equatable {
        /// By id.
        public var keys: [KeyEntry]
        /// The `after` of the next page; absent on the last one.
        public var next: Int?
    }

    /// The page begins behind this key; 0 for the first.
    public var after: Int
    /// Keys on a page, 1 to 500.
    public var limit: Int

    /// The call with its arguments.
    public init(after: Int = 0, limit: Int = 100) {
        self.after = after
        self.limit = limit
    }
}

/// Ends a key, for good; one that was revoked before stays so. Errors: `not_found`.
public struct RevokeKey: Operation {
    /// The name on the wire.
    public static let name = "keys.revoke"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// What it answers with.
    public typealias Result = KeyEntry

    /// The key's id.
    public var key: Int

    /// The call with its arguments.
    public init(_ key: Int) {
        self.key = key
    }
}

/// Whether a key is in force, by its digest: the key itself stays with whoever was shown it. Errors: `unauthenticated`, which
/// does not say whether there is no such key, it is another one, or it has ended.
public struct CheckKey: Operation {
    /// The name on the wire.
    public static let name = "keys.check"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.gateway]

    /// Whose it is.
    public struct Result: Codable, Sendable, Equatable {
        /// What it is for.
        public var name: String

        /// From its part.
        public init(name: String) {
            self.name = name
        }
    }

    /// The key's id.
    public var key: Int
    /// The digest of its secret.
    public var digest: KeyDigest

    /// The call with its arguments.
    public init(_ key: Int, digest: KeyDigest) {
        self.key = key
        self.digest = digest
    }
}
