public import Agents

/// The JSON Schema of an agent file: what editors complete and mark by, and what ``AgentFile`` itself is checked against.
public enum AgentFileSchema {
    /// The schema, with a description of every field.
    public static let json: JSONValue = [
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Octavo agent",
        "description": "An agent of Octavo. Its name is that of the file.",
        "type": "object",
        "additionalProperties": false,
        "properties": .object(common + instructed + tasks),
        "oneOf": .array(taskNames.map { ["required": [.string($0)]] }),
        "dependentSchemas": .object(onlyInstructed.map { .init($0, ["required": ["instructions"]]) }),
        "$defs": [
            "name": ["type": "string", "pattern": .string(namePattern), "maxLength": 63],
            "model": ["type": "string", "minLength": 1, "maxLength": 200],
        ],
    ]

    /// The schema but for what it says of fields that go together: of these ``AgentFile`` has words of its own.
    static let ofEachField = json.without(["oneOf", "dependentSchemas"])

    static let namePattern = "^[a-z][a-z0-9-]*$"
    static let toolPattern = "^(search|read|list|fetch|agent:[a-z][a-z0-9-]*|mcp:[a-z][a-z0-9_]*/[A-Za-z0-9_-]+)$"
    static let hostPattern = #"^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$"#
    private static let variablePattern = "^[a-z_][a-z0-9_]*$"
    private static let serverPattern = "^[a-z][a-z0-9_]*$"
    private static let urlPattern = "^https?://"

    /// What an agent does: a file has one of them.
    static let taskNames = ["instructions", "classify", "summarise", "together"]

    /// What only an agent that follows instructions has.
    static let onlyInstructed = [
        "variables", "tools", "approval", "approval_seconds", "fetch", "mcp", "output", "conversation",
    ]

    private static let common: [JSONValue.Member] = [
        field("description", ["type": "string", "maxLength": 500], "For people who choose among agents."),
        field(
            "model",
            ["$ref": "#/$defs/model"],
            "The model as provider:model, such as openai:gpt-5-mini. Without it the agent runner's (OCTAVO_MODEL)."
        ),
        field(
            "fallbacks",
            ["type": "array", "items": ["$ref": "#/$defs/model"], "maxItems": 5, "uniqueItems": true],
            "Models that take its place, in this order, when it cannot answer."
        ),
        field("temperature", ["type": "number", "minimum": 0, "maximum": 2], "0 for the likeliest words."),
        field(
            "max_tokens",
            ["type": "integer", "minimum": 1, "maximum": mostTokens],
            "The most tokens one answer of the model may have."
        ),
        field(
            "output_mode",
            ["enum": .array(OutputMode.allCases.map { .string($0.rawValue) })],
            "How the model is brought to an output, labels or a summary: tool gives it a tool to call, native has its provider hold it to the schema, prompted shows it the schema, for servers that can do neither. automatic: the first of them that the model is known to do, as without this field."
        ),
        field("limits", limits, "Where a run ends at the latest."),
    ]

    /// No limit of a thousand million is one.
    private static let mostTokens: JSONValue = 1_000_000_000

    private static let limits: JSONValue = [
        "type": "object",
        "additionalProperties": false,
        "properties": .object([
            field("requests", ["type": "integer", "minimum": 1, "maximum": 1000], "Requests to the model."),
            field("tool_calls", ["type": "integer", "minimum": 0, "maximum": 10000], "Calls of tools."),
            field("tokens", ["type": "integer", "minimum": 1, "maximum": mostTokens], "Tokens, read and written."),
            field(
                "dollars",
                ["type": "number", "exclusiveMinimum": 0, "maximum": 1_000_000],
                "Money, by the prices of well-known models; those set with octavo runs price count for budgets and costs."
            ),
            field(
                "seconds",
                ["type": "number", "exclusiveMinimum": 0, "maximum": 3600],
                "Time in all, from the first attempt."
            ),
        ]),
    ]

    private static let instructed: [JSONValue.Member] = [
        field(
            "instructions",
            ["type": "string", "minLength": 1, "maxLength": 100_000],
            "What the model is told before everything else. {{name}} stands for a variable; there are date, reader and channel."
        ),
        field(
            "variables",
            [
                "type": "object", "propertyNames": ["pattern": .string(variablePattern)],
                "additionalProperties": ["type": "string", "maxLength": 10_000],
            ],
            "Values for the variables of the instructions."
        ),
        field(
            "tools",
            [
                "type": "array", "maxItems": 64, "uniqueItems": true,
                "items": ["type": "string", "pattern": .string(toolPattern)],
            ],
            "What the model may call: search, read and list of the documentation, fetch of a page (with fetch), agent:NAME, mcp:SERVER/TOOL (with mcp)."
        ),
        field(
            "approval",
            ["type": "array", "uniqueItems": true, "items": ["type": "string"]],
            "Tools of the list each of whose calls waits until a person has approved it. Calls that send data out do in any case once the run has read what others wrote."
        ),
        field(
            "approval_seconds",
            ["type": "integer", "minimum": 1, "maximum": 2_678_400],
            "How long somebody has to approve a call; 86400, a day. Then it is not made, and the run goes on without it."
        ),
        field("fetch", fetch, "Pages that may be fetched."),
        field("mcp", servers, "Servers of the Model Context Protocol, by a name of your own."),
        field(
            "output",
            ["type": "object", "properties": ["type": ["const": "object"]], "required": ["type"]],
            "The JSON Schema (2020-12) of what it answers with, an object. Answers are held to it. Without it the answer is text."
        ),
        field(
            "conversation",
            ["enum": .array(AgentFile.Conversation.allCases.map { .string($0.rawValue) })],
            "What becomes of a text that comes while it is at work on an earlier one of the conversation: enqueue answers it afterwards, as without this field, reject refuses it, interrupt ends the earlier one, rollback ends it and takes it back, merge adds it to one that has not begun. none: each text stands alone, and the model is told of no earlier one. What octavo conversations conduct says wins."
        ),
    ]

    private static let fetch: JSONValue = [
        "type": "object",
        "additionalProperties": false,
        "required": ["hosts"],
        "properties": .object([
            field(
                "hosts",
                [
                    "type": "array", "minItems": 1, "maxItems": 100,
                    "items": ["type": "string", "pattern": .string(hostPattern)],
                ],
                "Hosts, over HTTPS: a name, or *.name for all below it."
            )
        ]),
    ]

    private static let servers: JSONValue = [
        "type": "object",
        "maxProperties": 16,
        "propertyNames": ["pattern": .string(serverPattern), "maxLength": 30],
        "additionalProperties": [
            "type": "object",
            "additionalProperties": false,
            "oneOf": [["required": ["command"]], ["required": ["url"]]],
            "properties": .object([
                field(
                    "command",
                    ["type": "array", "minItems": 1, "maxItems": 64, "items": ["type": "string", "minLength": 1]],
                    "A program by its whole path, with its arguments; spoken with over its standard input and output."
                ),
                field(
                    "url",
                    ["type": "string", "format": "uri", "pattern": .string(urlPattern)],
                    "Its address, streamable HTTP."
                ),
                field(
                    "seconds",
                    ["type": "number", "exclusiveMinimum": 0, "maximum": 600],
                    "How long one call may take; 30."
                ),
                field(
                    "read_only",
                    ["type": "array", "uniqueItems": true, "items": ["type": "string"]],
                    "Its tools that send nothing out. They stay allowed once the run has read what others wrote."
                ),
            ]),
        ],
    ]

    private static let tasks: [JSONValue.Member] = [
        field(
            "classify",
            [
                "type": "object", "additionalProperties": false, "required": ["categories"],
                "properties": .object([
                    field(
                        "categories",
                        [
                            "type": "object", "minProperties": 2, "maxProperties": 100,
                            "propertyNames": ["minLength": 1, "maxLength": 100],
                            "additionalProperties": ["type": "string", "minLength": 1, "maxLength": 1000],
                        ],
                        "The categories: a name, and what belongs to it."
                    ),
                    field("several", ["type": "boolean"], "Whether a text may belong to several, or to none."),
                ]),
            ],
            "Sorts a text into categories."
        ),
        field(
            "summarise",
            [
                "type": "object", "additionalProperties": false,
                "properties": .object([
                    field(
                        "sentences",
                        ["type": "integer", "minimum": 1, "maximum": 50],
                        "At most so many sentences; 3."
                    ),
                    field("audience", ["type": "string", "minLength": 1, "maxLength": 500], "For whom it is written."),
                ]),
            ],
            "Summarises a text; every sentence says which words of it it rests on."
        ),
        field(
            "together",
            [
                "type": "object", "additionalProperties": false, "required": ["agents"],
                "properties": .object([
                    field(
                        "agents",
                        [
                            "type": "array", "minItems": 1, "maxItems": 16, "uniqueItems": true,
                            "items": ["$ref": "#/$defs/name"],
                        ],
                        "Agents by name, built in or of another file."
                    ),
                    field(
                        "on_failure",
                        ["enum": ["stop", "collect"]],
                        "stop: the first failure ends all of them. collect: each outcome is told; this is so without it."
                    ),
                ]),
            ],
            "Puts the same text to several agents at once."
        ),
    ]

    private static func field(_ name: String, _ schema: JSONValue, _ description: String) -> JSONValue.Member {
        guard case .object(let members) = schema else { return .init(name, schema) }
        return .init(name, .object([.init("description", .string(description))] + members))
    }
}

extension AgentFileSchema {
    /// Why a value does not fit a pattern, for whoever has written it; nil for other patterns than those of this schema.
    static func reason(_ written: String, against pattern: String) -> String? {
        let written = String(written.prefix(100))
        switch pattern {
        case toolPattern:
            let meant = Spelling.nearest(to: written, among: ["search", "read", "list", "fetch"])
            return "there is no tool \"\(written)\"\(meant.map { ": did you mean \"\($0)\"?" } ?? ".") "
                + "There are search, read, list, fetch, agent:NAME and mcp:SERVER/TOOL"
        case hostPattern:
            return
                "\"\(written)\" is no host of the internet: one is written docs.example.com, or *.example.com for all below it"
        case namePattern: return "\"\(written)\" is no agent's name: small letters, digits and hyphens, a letter first"
        case variablePattern: return "\"\(written)\" is no variable's name: small letters, digits and _, no digit first"
        case serverPattern: return "\"\(written)\" is no server's name: small letters, digits and _, a letter first"
        case urlPattern: return "\"\(written)\" is no address of a server: it begins with https:// or http://"
        default: return nil
        }
    }
}

extension JSONValue {
    /// Without members of these names, also further below.
    fileprivate func without(_ names: Set<String>) -> JSONValue {
        switch self {
        case .object(let members):
            .object(members.filter { !names.contains($0.name) }.map { .init($0.name, $0.value.without(names)) })
        case .array(let items): .array(items.map { $0.without(names) })
        default: self
        }
    }
}
