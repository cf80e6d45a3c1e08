/// One of the forms an agent's output may have.
///
/// ```swift
/// enum Reply { case weather(Weather), question(String) }
/// let choices = [
///     try OutputChoice("weather", "The weather in the place asked for.", Reply.weather),
///     .text(Reply.question),
/// ]
/// ```
public struct OutputChoice<Value: Sendable>: Sendable {
    /// What the model calls it: 1 to 64 letters, digits, `_` or `-`.
    public let name: String
    /// When the model is to choose it.
    public let description: String
    /// The JSON Schema of what it holds.
    public let schema: JSONValue
    /// Whether plain text is this.
    let isText: Bool
    private let check: CheckedSchema
    private let make: @Sendable (JSONValue) throws -> Value

    /// A form that holds some `Decodable`, whose schema is found as that of a tool's arguments.
    ///
    /// - Throws: ``AgentError/Code/misconfigured`` when the name is not allowed or the type cannot be described.
    public init<Content: Decodable & SendableMetatype>(
        _ name: String,
        _ description: String,
        _ make: @escaping @Sendable (Content) -> Value
    ) throws(AgentError) {
        try self.init(name, description, schema: try JSONSchema(of: Content.self).json) { json in
            make(try json.decoded(as: Content.self))
        }
    }

    /// A form whose schema is known only at run time.
    ///
    /// - Throws: ``AgentError/Code/misconfigured`` when the name is not allowed, or the schema asks for what cannot be checked.
    public init(
        _ name: String,
        _ description: String,
        schema: JSONValue,
        _ make: @escaping @Sendable (JSONValue) throws -> Value
    ) throws(AgentError) {
        guard ToolDefinition.isName(name) else {
            throw AgentError(.misconfigured, "The output name \"\(name)\" is not 1 to 64 letters, digits, _ or -.")
        }
        self.name = name
        self.description = description
        self.schema = schema
        self.isText = false
        self.check = try CheckedSchema(schema)
        self.make = make
    }

    private init(text make: @escaping @Sendable (String) -> Value) {
        name = "text"
        description = "Anything that is said in words."
        schema = ["type": "string"]
        isText = true
        check = .none
        self.make = { json in
            guard case .string(let text) = json else { throw OutputError("The text is no text.") }
            return make(text)
        }
    }

    /// Plain text.
    public static func text(_ make: @escaping @Sendable (String) -> Value) -> OutputChoice {
        OutputChoice(text: make)
    }

    /// The value, if the JSON is one. Throws ``OutputError`` saying everything that is wrong with it.
    func value(of json: JSONValue) throws -> Value {
        let json = json.withoutNulls(for: schema)
        if let complaints = check.complaints(about: json) { throw OutputError(complaints) }
        do {
            return try make(json)
        } catch let error as OutputError {
            throw error
        } catch {
            throw OutputError(DecodingSentence.of(error, whole: "the answer"))
        }
    }

    // MARK: As a tool

    /// Providers take tools whose arguments are an object, and no other.
    private var isObject: Bool { schema["type"] == "object" }

    var definition: ToolDefinition {
        ToolDefinition(
            name: name,
            description: description,
            parameters: isObject ? schema : .wrapped(["value": schema])
        )
    }

    func value(ofArguments text: String) throws -> Value {
        guard let json = JSONValue(text: text) else { throw OutputError("The arguments are not valid JSON.") }
        return try value(of: isObject ? json : json["value"] ?? json)
    }
}

extension JSONValue {
    /// The schema of an object with these members, all of them required.
    static func wrapped(_ members: JSONValue) -> JSONValue {
        guard case .object(let properties) = members else { return members }
        return [
            "type": "object",
            "properties": members,
            "required": .array(properties.map { .string($0.name) }),
            "additionalProperties": false,
        ]
    }
}
