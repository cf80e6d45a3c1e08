/// How one model is brought to an output: what is added to its requests, and how its answers are read.
struct OutputPlan<Value: Sendable>: Sendable {
    let output: AgentOutput<Value>
    /// Never ``OutputMode/automatic``.
    let mode: OutputMode
    private let text: OutputChoice<Value>?
    private let typed: [OutputChoice<Value>]
    /// Given to the model beside the agent's own.
    let tools: [ToolDefinition]

    init(_ output: AgentOutput<Value>, for capabilities: ModelCapabilities) {
        self.output = output
        mode = output.mode.resolved(for: capabilities)
        text = output.choices.first(where: \.isText)
        typed = output.choices.filter { !$0.isText }
        tools = mode == .tool ? typed.map(\.definition) : []
    }

    // MARK: Requests

    /// Where no text is asked for, only a tool can be the answer.
    var toolChoice: ToolChoice { mode == .tool && text == nil ? .required : .automatic }

    var format: AnswerFormat {
        switch mode {
        case _ where typed.isEmpty: .text
        case .native: .schema(name: typed.count == 1 ? typed[0].name : "answer", schema.strict)
        case .prompted: .json
        case .tool, .automatic: .text
        }
    }

    /// Added to the agent's own.
    var instructions: String {
        guard mode == .prompted, !typed.isEmpty else { return "" }
        return "Answer with one JSON object that matches this JSON Schema, and with nothing else:\n\(schema.text)"
    }

    /// Several forms are told apart by their name, inside an object because providers want one outermost.
    private var schema: JSONValue {
        if output.choices.count == 1 {
            return isWrapped ? .wrapped(["value": output.choices[0].schema]) : output.choices[0].schema
        }
        let forms = output.choices.map { choice in
            JSONValue.wrapped([
                "kind": ["type": "string", "enum": [.string(choice.name)], "description": .string(choice.description)],
                "value": choice.schema,
            ])
        }
        return .wrapped(["answer": ["anyOf": .array(forms)]])
    }

    private var isWrapped: Bool { output.choices[0].schema["type"] != "object" }

    // MARK: Answers

    /// Throws ``OutputError`` for the model, or ``AgentError``.
    func read(_ call: ToolCall) async throws -> Value {
        guard let choice = typed.first(where: { $0.name == call.name }) else {
            throw OutputError("There is no output of this name.")
        }
        return try await output.accept(try choice.value(ofArguments: call.arguments))
    }

    /// Throws ``OutputError`` for the model, or ``AgentError``.
    func read(text said: String) async throws -> Value {
        if mode == .tool || typed.isEmpty {
            if let text { return try await output.accept(try text.value(of: .string(said))) }
            return try await output.accept(try valueSaidAloud(said))
        }
        guard let json = JSONValue(in: said) else {
            // A server may take the schema and not hold the model to it.
            let shown = mode == .native ? "\nIt is to match this JSON Schema:\n\(schema.text)\n" : ""
            throw OutputError("The answer is no JSON object.\(shown)")
        }
        return try await output.accept(try value(of: json))
    }

    private func value(of json: JSONValue) throws -> Value {
        guard output.choices.count > 1 else {
            return try output.choices[0].value(of: isWrapped ? json["value"] ?? json : json)
        }
        let answer = json["answer"] ?? json
        guard case .string(let kind)? = answer["kind"], let choice = output.choices.first(where: { $0.name == kind })
        else {
            let names = output.choices.map { "\"\($0.name)\"" }.joined(separator: ", ")
            throw OutputError("\"kind\" is none of \(names).")
        }
        guard let value = answer["value"] else { throw OutputError("\"value\" is missing.") }
        return try choice.value(of: value)
    }

    /// Small models say the arguments instead of calling the tool, and some servers let none of theirs call one.
    private func valueSaidAloud(_ said: String) throws -> Value {
        let json = JSONValue(in: said)
        if typed.count == 1, let json, case .object = json { return try typed[0].value(ofArguments: json.text) }
        // Of several, nobody has told it yet how they are told apart.
        if typed.count > 1, let json, (json["answer"] ?? json)["kind"] != nil { return try value(of: json) }
        let names = typed.map(\.name).joined(separator: " or ")
        let (which, form) = typed.count == 1 ? ("it", typed[0].definition.parameters) : ("one of them", schema)
        throw OutputError(
            "Those are words, and no call of \(names).\nCall \(which); or, where you cannot, answer with one JSON object "
                + "that matches this JSON Schema, and with nothing else:\n\(form.text)\n"
        )
    }
}
