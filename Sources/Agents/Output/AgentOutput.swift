/// What an agent answers with: text, a `Decodable` type, JSON of a given schema, or one of several of these.
///
/// ```swift
/// let output = try AgentOutput(Weather.self, mode: .native).validated { weather in
///     guard weather.celsius > -90 else { throw OutputError("It is never that cold.") }
///     return weather
/// }
/// ```
///
/// Whatever the ``mode``, one schema is sent, the answer is checked against it, and when it is wrong it goes back to the model
/// with the reasons, ``AgentLimits/outputRetries`` times.
public struct AgentOutput<Value: Sendable>: Sendable {
    /// How the model is brought to it.
    public var mode: OutputMode
    /// The forms it may have, one at least.
    let choices: [OutputChoice<Value>]
    private var validators: [@Sendable (Value) async throws -> Value] = []

    private init(_ choices: [OutputChoice<Value>], mode: OutputMode) {
        self.choices = choices
        self.mode = mode
    }

    /// A `Decodable` type. Its schema is found as that of a tool's arguments (``JSONSchema``).
    ///
    /// - Throws: ``AgentError/Code/misconfigured`` when the type cannot be described.
    public init(
        _ type: Value.Type = Value.self,
        name: String = "answer",
        description: String = "Gives the answer. Call it when you have it.",
        mode: OutputMode = .automatic
    ) throws(AgentError) where Value: Decodable & SendableMetatype {
        self.init([try OutputChoice(name, description) { (value: Value) in value }], mode: mode)
    }

    /// JSON of a schema that is known only at run time.
    ///
    /// - Throws: ``AgentError/Code/misconfigured`` when the schema asks for what cannot be checked.
    public init(
        schema: JSONValue,
        name: String = "answer",
        description: String = "Gives the answer. Call it when you have it.",
        mode: OutputMode = .automatic
    ) throws(AgentError) where Value == JSONValue {
        self.init([try OutputChoice(name, description, schema: schema) { $0 }], mode: mode)
    }

    /// One of several forms; the model chooses.
    ///
    /// - Throws: ``AgentError/Code/misconfigured`` when there is none, or two have the same name.
    public static func oneOf(_ choices: [OutputChoice<Value>], mode: OutputMode = .automatic) throws(AgentError)
        -> AgentOutput
    {
        guard !choices.isEmpty else { throw AgentError(.misconfigured, "An output needs one form at least.") }
        guard Set(choices.map(\.name)).count == choices.count else {
            throw AgentError(.misconfigured, "Two forms of an output have the same name.")
        }
        return AgentOutput(choices, mode: mode)
    }

    /// The output with a check of your own, or a change: what `validator` returns is the output. It is called when everything
    /// before it is satisfied; an ``OutputError`` it throws goes back to the model, any other error ends the run.
    public func validated(_ validator: @escaping @Sendable (Value) async throws -> Value) -> AgentOutput {
        var output = self
        output.validators.append(validator)
        return output
    }

    /// The value after all validators.
    func accept(_ value: Value) async throws -> Value {
        var value = value
        for validator in validators {
            do {
                value = try await validator(value)
            } catch let error as OutputError {
                throw error
            } catch let error as AgentError {
                throw error
            } catch {
                try Task.checkCancellation()
                throw AgentError(.invalidAnswer, "A validator of the output failed (\(type(of: error))).")
            }
        }
        return value
    }
}

extension AgentOutput where Value == String {
    /// Text as the model writes it.
    public static var text: AgentOutput { AgentOutput([.text { $0 }], mode: .automatic) }
}
