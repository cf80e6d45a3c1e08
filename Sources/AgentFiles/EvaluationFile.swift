public import Agents

/// What an agent is tried out with: texts, and what is expected of its answers.
public struct EvaluationFile: Sendable, Hashable {
    /// A text and what is expected.
    public struct Case: Sendable, Hashable {
        /// What it is called in the results; names differ.
        public var name: String
        /// What the agent is given.
        public var input: String
        /// What has to be so of its answer.
        public var expectations: [Expectation]
    }

    /// Something that has to be so of an answer.
    public enum Expectation: Sendable, Hashable {
        /// The output is this value; of an agent that answers in text, the text.
        case equals(JSONValue)
        /// The answer's text holds these words, whatever their case.
        case contains(String)
        /// The output fits this JSON Schema.
        case schema(JSONValue)
        /// Whether the documentation supports it, and every citation stands in its section.
        case supported(Bool)
        /// It took no longer.
        case seconds(Double)
        /// It used no more tokens.
        case tokens(Int)
        /// It cost no more, in US dollars.
        case dollars(Double)
        /// An agent finds that this is true of it.
        case judge(agent: String, claim: String)
    }

    /// Who is tried out.
    public var agent: String
    /// The cases in their order.
    public var cases: [Case]

    /// Reads a file's text.
    ///
    /// - Throws: ``AgentFileProblems``, in the order of the text.
    public init(_ text: String, file: String) throws(AgentFileProblems) {
        let document: YAMLDocument
        do {
            document = try YAMLDocument(text, file: file)
        } catch {
            throw AgentFileProblems(all: [error])
        }
        let slips = document.problems(against: Self.schema, as: "the evaluation")
        guard slips.isEmpty else { throw AgentFileProblems(all: slips.sorted()) }
        let value = document.value
        agent = value["agent"]?.string ?? ""
        cases = []
        var problems: [AgentFileProblem] = []
        for (index, item) in (value["cases"]?.items ?? []).enumerated() {
            let read = Case(item, number: index + 1)
            if cases.contains(where: { $0.name == read.name }) {
                problems.append(document.problem(at: "/cases/\(index)", "there is a case \"\(read.name)\" already"))
            }
            if case .schema(let schema)? = read.expectations.first(where: {
                if case .schema = $0 { true } else { false }
            }) {
                do {
                    _ = try SchemaValidator(schema)
                } catch {
                    problems.append(document.problem(at: "/cases/\(index)/expect/schema" + error.path, error.reason))
                }
            }
            cases.append(read)
        }
        guard problems.isEmpty else { throw AgentFileProblems(all: problems) }
    }

    /// The JSON Schema of such a file.
    public static let schema: JSONValue = [
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": false,
        "required": ["agent", "cases"],
        "properties": [
            "agent": ["type": "string", "pattern": .string(AgentFileSchema.namePattern), "maxLength": 63],
            "cases": ["type": "array", "minItems": 1, "maxItems": 1000, "items": caseSchema],
        ],
    ]

    private static let caseSchema: JSONValue = [
        "type": "object",
        "additionalProperties": false,
        "required": ["input", "expect"],
        "properties": [
            "name": ["type": "string", "minLength": 1, "maxLength": 200],
            "input": ["type": "string", "minLength": 1],
            "expect": [
                "type": "object", "additionalProperties": false, "minProperties": 1, "properties": expectations,
            ],
        ],
    ]

    private static let expectations: JSONValue = [
        "equals": true,
        "contains": [
            "type": ["string", "array"], "minLength": 1, "minItems": 1, "items": ["type": "string", "minLength": 1],
        ],
        "schema": ["type": "object"],
        "supported": ["type": "boolean"],
        "seconds": ["type": "number", "exclusiveMinimum": 0],
        "tokens": ["type": "integer", "minimum": 0, "maximum": 1_000_000_000],
        "dollars": ["type": "number", "minimum": 0],
        "judge": [
            "type": "object", "additionalProperties": false, "required": ["agent", "claim"],
            "properties": [
                "agent": ["type": "string", "pattern": .string(AgentFileSchema.namePattern), "maxLength": 63],
                "claim": ["type": "string", "minLength": 1, "maxLength": 2000],
            ],
        ],
    ]
}

extension EvaluationFile.Case {
    fileprivate init(_ value: JSONValue, number: Int) {
        name = value["name"]?.string ?? "\(number)"
        input = value["input"]?.string ?? ""
        expectations = (value["expect"]?.members ?? []).flatMap { EvaluationFile.Expectation.of($0) }
    }
}

extension EvaluationFile.Expectation {
    fileprivate static func of(_ member: JSONValue.Member) -> [Self] {
        let value = member.value
        return switch member.name {
        case "equals": [.equals(value)]
        case "contains": (value.strings ?? [value.string ?? ""]).map { .contains($0) }
        case "schema": [.schema(value)]
        case "supported": [.supported(value == true)]
        case "seconds": [.seconds(value.double ?? 0)]
        case "tokens": [.tokens(value.integer ?? 0)]
        case "dollars": [.dollars(value.double ?? 0)]
        default: [.judge(agent: value["agent"]?.string ?? "", claim: value["claim"]?.string ?? "")]
        }
    }
}

extension JSONValue {
    fileprivate var items: [JSONValue] { if case .array(let items) = self { items } else { [] } }
}
