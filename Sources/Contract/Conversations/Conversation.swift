public import FoundationEssentials
import Wire

/// A conversation's identity, made by whoever begins it: a UUID of any version. Nobody who does not know it says or reads
/// anything in it.
public struct ConversationID: Codable, Hashable, Sendable, CustomStringConvertible {
    /// The UUID.
    public let uuid: UUID

    /// A new one.
    public init() {
        uuid = UUID()
    }

    /// Reads the usual text form; nil for anything else.
    public init?(_ text: some StringProtocol) {
        guard let uuid = UUID(uuidString: String(text)) else { return nil }
        self.uuid = uuid
    }

    /// Reads the form `encode(to:)` writes.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let id = Self(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a UUID")
        }
        self = id
    }

    /// Writes the usual text form, in small letters.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    /// The usual text form, in small letters.
    public var description: String { uuid.uuidString.lowercased() }
}

/// A question with its answer, as a later one of the same conversation is told of it.
public struct Turn: Codable, Sendable, Equatable {
    /// The run.
    public var run: RunID
    /// What was asked.
    public var question: String
    /// What was answered; of a run that did not end well, what the reader was shown of it.
    public var answer: String?
    /// How it ended; nil while it is under way.
    public var state: RunState?
    /// Taken back by the text that came after it: no longer part of the history.
    public var rolledBack: Bool?

    enum CodingKeys: String, CodingKey {
        case run, question, answer, state
        case rolledBack = "rolled_back"
    }
}

/// Says something in a conversation, which begins with the first text in it. The history is the server's: nothing but the
/// text is taken from the caller. The same id again changes nothing.
///
/// Errors: `already_exists` when the conversation or the id belongs to something else, `failed_precondition` when the agent is
/// at work and rejects more.
public struct Say: Operation {
    /// The name on the wire.
    public static let name = "conversations.say"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.gateway, .admin]

    /// The agent that is asked where nobody names one; it is always there.
    public static let usualAgent = "documentation"

    /// What became of the text.
    public struct Result: Codable, Sendable, Equatable {
        /// What is done about a text.
        public enum How: String, Codable, Sendable {
            /// A run of its own answers it.
            case asked
            /// It was added to the question of a run that had not begun.
            case merged
        }

        /// A run that was ended for it.
        public struct Ended: Codable, Sendable, Equatable {
            /// The run.
            public var run: RunID
            /// The runner that carried it out.
            public var runner: String?
            /// Its attempt.
            public var attempt: Int
        }

        /// The run that answers it.
        public var run: RunID
        /// Whether this call has said it.
        public var isNew: Bool
        /// What was done.
        public var how: How
        /// The runs that were ended for it.
        public var ended: [Ended]

        enum CodingKeys: String, CodingKey {
            case run, how, ended
            case isNew = "new"
        }
    }

    /// The conversation.
    public var conversation: ConversationID
    /// The text's id, and that of the run which answers it if it gets one of its own.
    public var run: RunID
    /// The agent.
    public var agent: String
    /// What is said, by whom and where.
    public var question: Question

    /// The call with its arguments.
    public init(conversation: ConversationID, run: RunID = .new(), agent: String = usualAgent, question: Question) {
        self.conversation = conversation
        self.run = run
        self.agent = agent
        self.question = question
    }
}

/// A conversation as it stands, with its latest turns. Errors: `not_found`.
public struct GetConversation: Operation {
    /// The name on the wire.
    public static let name = "conversations.get"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.gateway, .admin]
    /// It changes nothing.
    public static let effect = Effect.reads

    /// The conversation.
    public struct Result: Codable, Sendable, Equatable {
        /// Its id.
        public var conversation: ConversationID
        /// The agent.
        public var agent: String
        /// The latest turns, the oldest of them first; also those under way and those that were taken back.
        public var turns: [Turn]
    }

    /// The conversation.
    public var conversation: ConversationID
    /// How many turns, 1 to 100.
    public var limit: Int

    /// The call with its arguments.
    public init(_ conversation: ConversationID, limit: Int = 20) {
        self.conversation = conversation
        self.limit = limit
    }
}

/// What was said and answered before a run, in its conversation: the latest turns that have ended and were not taken back, oldest
/// first. None for a run that belongs to no conversation.
public struct GetHistory: Operation {
    /// The name on the wire.
    public static let name = "conversations.history"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.agentRunner]
    /// It changes nothing.
    public static let effect = Effect.reads
    /// Turns a model is told of. More than people look back to, and far below what fits into a frame.
    public static let most = 20
    /// Characters of one answer: what came behind them is not told.
    public static let answerCharacters = 8_000

    /// The turns.
    public struct Result: Codable, Sendable, Equatable {
        /// Oldest first.
        public var turns: [Turn]
        /// Whether tools were called for one of them, or for one before them: what was answered may be what others wrote.
        public var usedTools: Bool?

        enum CodingKeys: String, CodingKey {
            case turns
            case usedTools = "used_tools"
        }
    }

    /// The run.
    public var run: RunID

    /// The call with its arguments.
    public init(run: RunID) {
        self.run = run
    }
}

/// What an agent does about a text that comes while it is at work on an earlier one of the same conversation. Errors: `invalid_argument`;
/// `not_found` when there is none to take back.
public struct SetConduct: Operation {
    /// The name on the wire.
    public static let name = "conversations.conduct"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.admin]
    /// What it answers with.
    public typealias Result = Done

    /// What is done about a text that comes too early.
    public enum DoubleText: String, Choice {
        /// It is answered when the earlier ones are.
        case enqueue
        /// It is refused.
        case reject
        /// The earlier one is ended where it is, and stays part of the history.
        case interrupt
        /// The earlier one is ended, and is no longer part of the history.
        case rollback
        /// It is added to an earlier one that has not begun; else answered after it.
        case merge
    }

    /// The agent.
    public var agent: String
    /// From now on; null takes back what was set, so that the agent's file counts.
    public var doubleText: DoubleText?

    enum CodingKeys: String, CodingKey {
        case agent
        case doubleText = "double_text"
    }

    /// The call with its arguments.
    public init(agent: String, doubleText: DoubleText?) {
        self.agent = agent
        self.doubleText = doubleText
    }
}
