public import Wire

/// Opens a transaction: a scope (`protocol/README.md`, section 4.9) that lasts as long as the call is in flight. Calls
/// within it are carried out in one transaction of Postgres, on one connection. It ends by `CommitTransaction`, by
/// `RollBackTransaction`, or is rolled back when the call is cancelled, its deadline passes, its connection breaks, or
/// nothing happens within it for `idleMilliseconds`.
///
/// Its idempotency key is stored with what the transaction writes. When a transaction of the same key was committed
/// before, nothing is opened, and its state says so: whoever never heard of the commit learns it by asking again.
public struct BeginTransaction: StreamingOperation {
    /// The name on the wire.
    public static let name = "transactions.begin"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.gateway, .agentRunner, .admin]
    /// Said once it is over.
    public typealias Result = Done

    /// How the transaction stands: the one item, sent when that is known.
    public struct Item: Codable, Sendable, Equatable {
        /// How it stands.
        public enum State: String, Codable, Sendable {
            /// It is open.
            case open
            /// One of the same key was committed before.
            case committed
        }

        /// How it stands.
        public var state: State
        /// The result that was stored with the earlier commit.
        public var result: JSON?

        /// From its parts.
        public init(_ state: State, result: JSON? = nil) {
            self.state = state
            self.result = result
        }
    }

    /// What statements of the transaction see of others (PostgreSQL manual, 13.2).
    public enum Isolation: String, Choice {
        /// Each statement sees what was committed before it began.
        case readCommitted = "read_committed"
        /// Every statement sees what was committed before the first one.
        case repeatableRead = "repeatable_read"
        /// As if transactions ran one after the other.
        case serializable
    }

    /// How long nothing may happen within it when that is not said.
    public static let usualIdleMilliseconds = 5_000
    /// The longest time that may be asked for: locks are held meanwhile.
    public static let longestIdleMilliseconds = 60_000

    /// The isolation level.
    public var isolation: Isolation
    /// Whether writing is refused.
    public var isReadOnly: Bool
    /// How long nothing may happen within it, 1 to 60,000 ms.
    public var idleMilliseconds: Int

    enum CodingKeys: String, CodingKey {
        case isolation
        case isReadOnly = "read_only"
        case idleMilliseconds = "idle_ms"
    }

    /// The call with its arguments.
    public init(
        isolation: Isolation = .readCommitted,
        isReadOnly: Bool = false,
        idleMilliseconds: Int = usualIdleMilliseconds
    ) {
        self.isolation = isolation
        self.isReadOnly = isReadOnly
        self.idleMilliseconds = idleMilliseconds
    }

    /// What is left out has its usual value.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        isolation = try values.decodeIfPresent(Isolation.self, forKey: .isolation) ?? .readCommitted
        isReadOnly = try values.decodeIfPresent(Bool.self, forKey: .isReadOnly) ?? false
        idleMilliseconds =
            try values.decodeIfPresent(Int.self, forKey: .idleMilliseconds) ?? Self.usualIdleMilliseconds
    }
}
