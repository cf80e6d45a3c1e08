import Contract
import Wire

/// A tool as the Model Context Protocol describes it.
struct MCPTool: Sendable {
    let name: String
    let description: String
    let input: JSON
    var output: JSON?
    /// Whether it reads the documentation and does nothing else, but that runs are kept. Clients let such tools through without
    /// asking anybody.
    private var onlyReads = true

    static let search = MCPTool(
        name: "search_documentation",
        description: "Finds sections of the documentation. Give it a few telling words.",
        input: JSON(
            trusted:
                #"{"type":"object","properties":{"query":{"type":"string"},"limit":{"type":"integer","minimum":1,"maximum":20}},"required":["query"],"additionalProperties":false}"#
        )
    )

    static let read = MCPTool(
        name: "read_section",
        description: "Reads one section of the documentation whole, by its number.",
        input: JSON(
            trusted:
                #"{"type":"object","properties":{"section":{"type":"integer","minimum":1}},"required":["section"],"additionalProperties":false}"#
        )
    )

    static let books = MCPTool(
        name: "list_books",
        description: "Lists the books of the documentation.",
        input: JSON(trusted: #"{"type":"object","properties":{},"additionalProperties":false}"#)
    )

    static let ofDocumentation = [search, read, books]

    private init(name: String, description: String, input: JSON) {
        self.name = name
        self.description = description
        self.input = input
    }

    /// An agent as a tool.
    init(asking agent: ListAgents.Agent) {
        name = Self.name(asking: agent.name)
        description = agent.description.isEmpty ? "Asks the agent \(agent.name)." : agent.description
        // What a server, a page's host or another agent does with what it is sent is not known here.
        onlyReads = agent.tools.allSatisfy(["search", "read", "list"].contains)
        input = JSON(
            trusted:
                #"{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}"#
        )
    }

    static func name(asking agent: String) -> String { "ask_" + agent.replacing("-", with: "_") }

    var json: JSON {
        JSON(object: [
            "name": JSON(string: name),
            "description": JSON(string: description),
            "inputSchema": input,
            "annotations": JSON(object: [
                "readOnlyHint": JSON(trusted: onlyReads ? "true" : "false"),
                "openWorldHint": JSON(trusted: onlyReads ? "false" : "true"),
            ]),
        ])
    }
}

/// What a tool answers with: text for models, and where there is one the value for programs.
extension MCPRoutes {
    static func content(_ text: String, structured: JSON? = nil, isError: Bool = false) -> JSON {
        let part = JSON(object: ["type": JSON(string: "text"), "text": JSON(string: text)])
        let content = JSON(array: [part])
        let failed = JSON(trusted: isError ? "true" : "false")
        guard let structured else { return JSON(object: ["content": content, "isError": failed]) }
        return JSON(object: ["content": content, "structuredContent": structured, "isError": failed])
    }

    static func content(_ found: SearchSections.Result) -> JSON {
        let lines = found.hits.map { hit in
            let place = ([hit.book.title] + hit.headings).joined(separator: " › ")
            return "[section \(hit.id)] \(place)\n\(hit.excerpt)"
        }
        return content(lines.isEmpty ? "Nothing was found. Try other words." : lines.joined(separator: "\n\n"))
    }

    static func content(_ section: Section) -> JSON {
        let place = ([section.book.title] + section.headings).joined(separator: " › ")
        return content("[section \(section.id)] \(place)\n\n\(section.text)")
    }

    static func content(_ books: ListBooks.Result) -> JSON {
        let lines = books.books.map { "\($0.title) (\($0.sectionCount) sections)" }
        return content(lines.isEmpty ? "There are no books." : lines.joined(separator: "\n"))
    }

    static func content(_ outcome: Outcome) -> JSON {
        if let error = outcome.error { return content(error.message, isError: true) }
        let sources = outcome.citations.map { citation in
            let place = ([citation.book.title] + citation.headings).joined(separator: " › ")
            return "[\(citation.number)] section \(citation.section), \(place): \"\(citation.quote)\""
        }
        let text = ([outcome.answer ?? ""] + (sources.isEmpty ? [] : [sources.joined(separator: "\n")]))
            .joined(separator: "\n\n")
        return content(text, structured: outcome.output)
    }
}
