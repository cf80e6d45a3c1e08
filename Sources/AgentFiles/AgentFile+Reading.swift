import Agents

extension AgentFile {
    /// Reads a file's text.
    ///
    /// - Parameters:
    ///   - name: The agent's name.
    ///   - file: What the file is called in problems.
    /// - Throws: ``AgentFileProblems``, in the order of the text.
    public init(_ text: String, name: String, file: String) throws(AgentFileProblems) {
        let document: YAMLDocument
        do {
            document = try YAMLDocument(text, file: file)
        } catch {
            throw AgentFileProblems(all: [error])
        }
        let slips =
            document.problems(against: AgentFileSchema.ofEachField, as: "the agent") + Self.taskProblems(document)
        guard slips.isEmpty else { throw AgentFileProblems(all: slips.sorted()) }
        self.init(name: name, document.value)
        var problems = self.problems(in: document)
        if !Self.isName(name) {
            problems.append(
                AgentFileProblem(
                    file: file,
                    message:
                        "an agent's name is 1 to 63 small letters, digits and hyphens, a letter first; not \"\(name)\""
                )
            )
        }
        guard problems.isEmpty else { throw AgentFileProblems(all: problems.sorted()) }
    }

    /// Whether an agent may be called so.
    public static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, first.isSmallLetter, name.utf8.count <= 63 else { return false }
        return name.utf8.allSatisfy { $0.isSmallLetter || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-") }
    }

    /// From a value the schema has found right.
    private init(name: String, _ value: JSONValue) {
        self.init(
            name: name,
            description: value["description"]?.string ?? "",
            model: value["model"]?.string,
            fallbacks: value["fallbacks"]?.strings ?? [],
            options: ModelOptions(temperature: value["temperature"]?.double, maxTokens: value["max_tokens"]?.integer),
            outputMode: value["output_mode"]?.string.flatMap(OutputMode.init) ?? .automatic,
            task: Task(value),
            limits: Limits(
                requests: value["limits"]?["requests"]?.integer,
                toolCalls: value["limits"]?["tool_calls"]?.integer,
                tokens: value["limits"]?["tokens"]?.integer,
                dollars: value["limits"]?["dollars"]?.double,
                seconds: value["limits"]?["seconds"]?.double
            )
        )
    }
}

/// Everything that is wrong with one file.
public struct AgentFileProblems: Error, Sendable, Hashable, CustomStringConvertible {
    /// The problems, in the order of the text; at least one.
    public var all: [AgentFileProblem]

    /// One a line.
    public var description: String { all.map(\.description).joined(separator: "\n") }
}

extension [AgentFileProblem] {
    /// In the order of the text.
    func sorted() -> [AgentFileProblem] {
        sorted { ($0.place ?? .init(line: 0, column: 0)) < ($1.place ?? .init(line: 0, column: 0)) }
    }
}

extension AgentFile.Task {
    fileprivate init(_ value: JSONValue) {
        if let classify = value["classify"] {
            let categories = (classify["categories"]?.members ?? []).map { member in
                AgentFile.Classification.Category(name: member.name, description: member.value.string ?? "")
            }
            self = .classify(.init(categories: categories, several: classify["several"] == true))
        } else if let summarise = value["summarise"] {
            self = .summarise(
                .init(sentences: summarise["sentences"]?.integer ?? 3, audience: summarise["audience"]?.string)
            )
        } else if let together = value["together"] {
            self = .together(
                .init(agents: together["agents"]?.strings ?? [], failsFast: together["on_failure"] == "stop")
            )
        } else {
            self = .instructed(AgentFile.Instructed(value))
        }
    }
}

extension AgentFile.Instructed {
    fileprivate init(_ value: JSONValue) {
        self.init(
            instructions: Template(value["instructions"]?.string ?? ""),
            variables: Dictionary(
                (value["variables"]?.members ?? []).map { ($0.name, $0.value.string ?? "") },
                uniquingKeysWith: { first, _ in first }
            ),
            tools: (value["tools"]?.strings ?? []).compactMap(ToolName.init),
            approval: Set(value["approval"]?.strings ?? []),
            approvalSeconds: value["approval_seconds"]?.integer ?? 86_400,
            hosts: value["fetch"]?["hosts"]?.strings ?? [],
            servers: Dictionary(
                (value["mcp"]?.members ?? []).map { ($0.name, AgentFile.MCPServer($0.value)) },
                uniquingKeysWith: { first, _ in first }
            ),
            output: value["output"],
            conversation: value["conversation"]?.string.flatMap(AgentFile.Conversation.init)
        )
    }
}

extension AgentFile.MCPServer {
    fileprivate init(_ value: JSONValue) {
        self.init(
            transport: value["url"]?.string.map(Transport.url) ?? .command(value["command"]?.strings ?? []),
            seconds: value["seconds"]?.double ?? 30,
            readOnly: Set(value["read_only"]?.strings ?? [])
        )
    }
}

extension JSONValue {
    var string: String? { if case .string(let text) = self { text } else { nil } }
    var integer: Int? {
        switch self {
        case .integer(let integer): integer
        case .number(let number): Int(exactly: number)
        default: nil
        }
    }
    var double: Double? {
        switch self {
        case .integer(let integer): Double(integer)
        case .number(let number): number
        default: nil
        }
    }
    var strings: [String]? { if case .array(let items) = self { items.compactMap(\.string) } else { nil } }
    var members: [Member]? { if case .object(let members) = self { members } else { nil } }
}

extension UInt8 {
    fileprivate var isSmallLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) }
}
