public import Agents

/// An agent written down in a YAML file: what it is told, what it may use and where it ends.
public struct AgentFile: Sendable, Hashable {
    /// The name people ask for: that of the file without `.yaml`.
    public var name: String
    /// For people who choose among agents.
    public var description: String
    /// Its model; `nil` for the runner's.
    public var model: String?
    /// Models that take its place, in this order, when it cannot answer.
    public var fallbacks: [String]
    /// How the model is to answer.
    public var options: ModelOptions
    /// How the model is brought to an output that is no text.
    public var outputMode: OutputMode
    /// What it does.
    public var task: Task
    /// Where a run ends at the latest; `nil` leaves it to the runner.
    public var limits: Limits

    /// What an agent does.
    public enum Task: Sendable, Hashable {
        /// Follows its instructions.
        case instructed(Instructed)
        /// Sorts a text into categories.
        case classify(Classification)
        /// Summarises a text.
        case summarise(Summary)
        /// Puts the same text to several agents at once.
        case together(Several)
    }

    /// An agent that follows instructions.
    public struct Instructed: Sendable, Hashable {
        /// What the model is told before everything else.
        public var instructions: Template
        /// The values of the variables in it.
        public var variables: [String: String]
        /// What the model may call.
        public var tools: [ToolName]
        /// Tools each of whose calls a person has to approve, as they are written.
        public var approval: Set<String>
        /// How long somebody has to approve a call.
        public var approvalSeconds: Int
        /// Hosts whose pages may be fetched: a name, or `*.` and one for all below it.
        public var hosts: [String]
        /// MCP servers by their name here.
        public var servers: [String: MCPServer]
        /// The JSON Schema of what it answers with; `nil` for text.
        public var output: JSONValue?
        /// What it does in conversations; `nil` for what is usual.
        public var conversation: Conversation?
    }

    /// What an agent does about a text that comes while it is at work on an earlier one of the same conversation.
    public enum Conversation: String, Sendable, Hashable, CaseIterable {
        /// Each text stands alone: the model is told of no earlier one.
        case alone = "none"
        /// It is answered after the earlier ones.
        case enqueue
        /// It is refused.
        case reject
        /// The earlier one is ended, and stays part of the history.
        case interrupt
        /// The earlier one is ended and taken back.
        case rollback
        /// It is added to an earlier one that has not begun.
        case merge
    }

    /// Sorting into categories.
    public struct Classification: Sendable, Hashable {
        /// One category.
        public struct Category: Sendable, Hashable {
            /// Its name, which is the label.
            public var name: String
            /// What belongs to it.
            public var description: String
        }

        /// The categories in their order.
        public var categories: [Category]
        /// Whether a text may belong to several, or to none.
        public var several: Bool
    }

    /// Summarising.
    public struct Summary: Sendable, Hashable {
        /// The most sentences it may have.
        public var sentences: Int
        /// For whom it is written.
        public var audience: String?

        /// Summarising.
        public init(sentences: Int, audience: String? = nil) {
            self.sentences = sentences
            self.audience = audience
        }
    }

    /// Several agents at once.
    public struct Several: Sendable, Hashable {
        /// Their names.
        public var agents: [String]
        /// Whether the first failure ends all of them; else each outcome is told.
        public var failsFast: Bool
    }

    /// Where a run ends; `nil` leaves it to the runner.
    public struct Limits: Sendable, Hashable {
        /// Requests to the model.
        public var requests: Int?
        /// Calls of tools.
        public var toolCalls: Int?
        /// Tokens in all.
        public var tokens: Int?
        /// Money, in dollars.
        public var dollars: Double?
        /// Time.
        public var seconds: Double?
    }

    /// A server of the Model Context Protocol.
    public struct MCPServer: Sendable, Hashable {
        /// How it is reached.
        public enum Transport: Sendable, Hashable {
            /// A program, with its arguments, that is spoken with over its standard input and output.
            case command([String])
            /// Streamable HTTP.
            case url(String)
        }

        /// How it is reached.
        public var transport: Transport
        /// How long one call may take.
        public var seconds: Double
        /// Its tools that only read: they may still be used once the run has read what others wrote.
        public var readOnly: Set<String>

        /// A server.
        public init(transport: Transport, seconds: Double = 30, readOnly: Set<String> = []) {
            self.transport = transport
            self.seconds = seconds
            self.readOnly = readOnly
        }
    }
}

/// A tool as an agent file names it.
public enum ToolName: Sendable, Hashable, CustomStringConvertible {
    /// Searches the documentation.
    case search
    /// Reads a section of it.
    case read
    /// Lists books and their sections.
    case list
    /// Fetches a page from an allowed host.
    case fetch
    /// Asks another agent.
    case agent(String)
    /// A tool of an MCP server, by both names.
    case mcp(server: String, tool: String)

    /// As it is written: `search`, `agent:NAME`, `mcp:SERVER/TOOL`. `nil` for anything else.
    public init?(_ text: String) {
        switch text {
        case "search": self = .search
        case "read": self = .read
        case "list": self = .list
        case "fetch": self = .fetch
        default:
            if text.hasPrefix("agent:") {
                self = .agent(String(text.dropFirst(6)))
            } else if text.hasPrefix("mcp:"), let slash = text.firstIndex(of: "/") {
                let server = text[text.index(text.startIndex, offsetBy: 4)..<slash]
                self = .mcp(server: String(server), tool: String(text[text.index(after: slash)...]))
            } else {
                return nil
            }
        }
    }

    /// As it is written.
    public var description: String {
        switch self {
        case .search: "search"
        case .read: "read"
        case .list: "list"
        case .fetch: "fetch"
        case .agent(let name): "agent:\(name)"
        case .mcp(let server, let tool): "mcp:\(server)/\(tool)"
        }
    }

    /// What the model calls it by: providers take letters, digits, `_` and `-`, 64 of them.
    public var callName: String {
        switch self {
        case .search, .read, .list, .fetch: description
        case .agent(let name): "ask_" + name.replacing("-", with: "_")
        case .mcp(let server, let tool): "\(server)_\(tool)"
        }
    }
}
