public import Wire

/// The agents that can be asked, and what is wrong with the files of those that cannot.
public struct ListAgents: Operation {
    /// The name on the wire.
    public static let name = "agents.list"
    /// The roles that may call it.
    public static let callers: Set<Role> = [.gateway, .admin]
    /// It only looks.
    public static let effect = Effect.reads

    /// An agent that every agent runner has, and that stands in no list: it answers with the question, for trying out all around it.
    public static let echo = "echo"

    /// The agents by name.
    public struct Result: Codable, Sendable, Equatable {
        /// The agents that can be asked.
        public var agents: [Agent]
        /// Files that are no agents.
        public var problems: [Problem]

        /// Whether one of this name can be asked.
        public func hasAgent(_ name: String) -> Bool {
            name == ListAgents.echo || agents.contains { $0.name == name }
        }

        /// From its parts.
        public init(agents: [Agent], problems: [Problem] = []) {
            self.agents = agents
            self.problems = problems
        }
    }

    /// An agent.
    public struct Agent: Codable, Sendable, Equatable {
        /// Where an agent comes from.
        public enum Origin: String, Codable, Sendable {
            /// Part of Octavo.
            case builtIn = "built-in"
            /// A file in the folder of agents.
            case file
        }

        /// What it is asked by.
        public var name: String
        /// What it is for.
        public var description: String
        /// The model's name.
        public var model: String
        /// Where it comes from.
        public var origin: Origin
        /// What it may use, as its file names it.
        public var tools: [String]
        /// The JSON Schema of its `output`; absent when it answers with text alone.
        public var output: JSON?

        /// From its parts.
        public init(
            name: String,
            description: String,
            model: String,
            origin: Origin,
            tools: [String] = [],
            output: JSON? = nil
        ) {
            self.name = name
            self.description = description
            self.model = model
            self.origin = origin
            self.tools = tools
            self.output = output
        }
    }

    /// What is wrong with a file.
    public struct Problem: Codable, Sendable, Equatable {
        /// The file's name.
        public var file: String
        /// The line, from 1; absent when it is about the whole file.
        public var line: Int?
        /// The column, from 1.
        public var column: Int?
        /// A sentence without its point.
        public var message: String

        /// From its parts.
        public init(file: String, line: Int? = nil, column: Int? = nil, message: String) {
            self.file = file
            self.line = line
            self.column = column
            self.message = message
        }
    }

    /// The call.
    public init() {}
}
