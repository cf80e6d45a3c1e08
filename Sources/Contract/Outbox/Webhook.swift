/// Who is told of runs that have ended: by a POST to a URL, signed as Standard Webhooks has it.
public struct Webhook: Codable, Sendable, Equatable {
    /// Bytes of a name.
    public static let nameLength = 1...100
    /// The longest URL, in UTF-8 bytes.
    public static let maximumURLBytes = 2_000

    /// Its name: by it the agent runner knows the secret.
    public var name: String
    /// Where it is posted to.
    public var url: String
    /// Only of this agent's runs.
    public var agent: String?
    /// No more than so many a second; as fast as it answers when left out.
    public var perSecond: Int?

    enum CodingKeys: String, CodingKey {
        case name, url, agent
        case perSecond = "per_second"
    }

    /// From its parts.
    public init(name: String, url: String, agent: String? = nil, perSecond: Int? = nil) {
        self.name = name
        self.url = url
        self.agent = agent
        self.perSecond = perSecond
    }
}

/// Makes a webhook: it is told of the runs that end from now on. The same once more changes nothing, and switches one that
/// was switched off on again. Errors: `already_exists` when the name belongs to another one, `invalid_argument`.
public struct AddWebhook: Operation {
    /// The name on the wire.
    public static let name = "webhooks.add"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// What it answers with.
    public typealias Result = Done
    /// Each run that ends is told to every one of them.
    public static let most = 100

    /// What is made.
    public var webhook: Webhook

    /// The call with its arguments.
    public init(_ webhook: Webhook) {
        self.webhook = webhook
    }
}

/// Asks the agent runner whether it could tell a webhook anything as things stand: it alone knows the secrets, and where messages may
/// lead. Nothing is sent.
public struct CheckWebhook: Operation {
    /// The name on the wire.
    public static let name = "webhooks.check"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// It changes nothing.
    public static let effect = Effect.reads

    /// What was found.
    public struct Result: Codable, Sendable, Equatable {
        /// Why nothing can be told to it, a sentence each; empty when nothing is in the way.
        public var problems: [String]

        /// From its part.
        public init(problems: [String]) {
            self.problems = problems
        }
    }

    /// What is looked at.
    public var webhook: Webhook

    /// The call with its arguments.
    public init(_ webhook: Webhook) {
        self.webhook = webhook
    }
}

/// The webhooks, by name.
public struct ListWebhooks: Operation {
    /// The name on the wire.
    public static let name = "webhooks.list"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// It changes nothing.
    public static let effect = Effect.reads

    /// All of them.
    public struct Result: Codable, Sendable, Equatable {
        /// One line of the list.
        public struct Line: Codable, Sendable, Equatable {
            /// What it is.
            public var webhook: Webhook
            /// Why nothing is sent there any more.
            public var disabled: String?
            /// Messages that wait.
            public var waiting: Int
            /// Messages that were given up, as far as they are kept.
            public var dead: Int
            /// Messages that were not stored, since too many waited.
            public var missed: Int
        }

        /// By name.
        public var webhooks: [Line]
    }

    /// The call.
    public init() {}
}

/// Takes a webhook away; what waits for it is given up. Errors: `not_found`.
public struct RemoveWebhook: Operation {
    /// The name on the wire.
    public static let name = "webhooks.remove"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// What it answers with.
    public typealias Result = Done

    /// Its name.
    public var webhook: String

    /// The call with its arguments.
    public init(_ webhook: String) {
        self.webhook = webhook
    }
}

/// Sends a message of the type `webhook.test`, behind what waits. Errors: `not_found`, `resource_exhausted`.
public struct TestWebhook: Operation {
    /// The name on the wire.
    public static let name = "webhooks.test"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]

    /// What was made.
    public struct Result: Codable, Sendable, Equatable {
        /// The message's number.
        public var message: Int
    }

    /// Its name.
    public var webhook: String

    /// The call with its arguments.
    public init(_ webhook: String) {
        self.webhook = webhook
    }
}

/// What was said to webhooks, and is to be said, newest first.
public struct ListDeliveries: Operation {
    /// The name on the wire.
    public static let name = "webhooks.deliveries"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// It changes nothing.
    public static let effect = Effect.reads

    /// Where a message stands. The diagram is in `protocol/outbox.md`.
    public enum State: String, Choice {
        case queued, sending, unknown, sent, dead
    }

    /// A page of them.
    public struct Result: Codable, Sendable, Equatable {
        /// One line of the list.
        public struct Line: Codable, Sendable, Equatable {
            /// Its number.
            public var message: Int
            /// The webhook's name.
            public var webhook: String
            /// Where it stands.
            public var state: State
            /// What the receiver knows it by.
            public var key: String
            /// The run it is about.
            public var run: RunID?
            /// How often it was tried.
            public var attempt: Int
            /// The receiver's last status.
            public var status: Int?
            /// Why it was not taken.
            public var error: String?
            /// When it was written, as RFC 3339.
            public var created: String
            /// When it is tried next.
            public var next: String?
            /// When it was taken, or given up.
            public var ended: String?
        }

        /// Newest first.
        public var deliveries: [Line]
    }

    /// Only those to this one.
    public var webhook: String?
    /// Only those in this state.
    public var state: State?
    /// Only this one.
    public var message: Int?
    /// The page continues behind this one.
    public var before: Int?
    /// How many, 1 to 100.
    public var limit: Int

    /// The call with its arguments.
    public init(
        webhook: String? = nil,
        state: State? = nil,
        message: Int? = nil,
        before: Int? = nil,
        limit: Int = 20
    ) {
        self.webhook = webhook
        self.state = state
        self.message = message
        self.before = before
        self.limit = limit
    }
}

/// Sends a message that was given up once more, under the key it had. Errors: `not_found`, `failed_precondition`.
public struct RetryDelivery: Operation {
    /// The name on the wire.
    public static let name = "webhooks.retry"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// What it answers with.
    public typealias Result = Done

    /// The message.
    public var message: Int

    /// The call with its arguments.
    public init(_ message: Int) {
        self.message = message
    }
}
