/// A schema, and what is wrong with values by it, in sentences a model can mend them by.
struct CheckedSchema: Sendable {
    private let validator: SchemaValidator?

    /// Anything goes.
    static let none = CheckedSchema(validator: nil)

    private init(validator: SchemaValidator?) {
        self.validator = validator
    }

    /// - Throws: ``AgentError/Code/misconfigured`` when the schema asks for what cannot be checked.
    init(_ schema: JSONValue) throws(AgentError) {
        do {
            // A model mends what it reads first, and loses itself in more.
            validator = try SchemaValidator(schema, limits: SchemaLimits(violations: 8))
        } catch {
            throw AgentError(.misconfigured, "The JSON Schema cannot be used: \(error)")
        }
    }

    /// Everything that is wrong with `value`; nil when nothing is.
    func complaints(about value: JSONValue) -> String? {
        let violations = validator?.validate(value) ?? []
        return violations.isEmpty ? nil : violations.map(\.description).joined(separator: " ")
    }
}
