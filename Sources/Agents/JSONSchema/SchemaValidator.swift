/// Checks values against a JSON Schema of the 2020-12 dialect.
///
/// ```swift
/// let validator = try SchemaValidator(["type": "object", "required": ["city"]])
/// for violation in validator.validate(answer) { print(violation) }
/// ```
///
/// It knows every assertion and applicator of the core, applicator and validation vocabularies, references within the
/// schema, and the formats of ``formats``, which it asserts. What it does not know it refuses by name and place, since a
/// keyword that is silently ignored promises what nobody checks: `$dynamicRef`, `$id` below the root, references to other
/// documents, `unevaluatedItems` and `unevaluatedProperties`, and misspellings. Annotations, and names that begin with
/// `x-`, are let pass.
///
/// Lengths are counted in Unicode code points and numbers compared by value, `1.0` being an integer. Neither a schema nor
/// a value can make it hang or overflow: see ``SchemaLimits``.
public struct SchemaValidator: Sendable {
    private let rules: [[SchemaRule]]
    private let limits: SchemaLimits

    /// Reads a schema: an object, `true` or `false`.
    ///
    /// - Throws: ``UnsupportedSchema`` with the first place that cannot be used.
    public init(_ schema: JSONValue, limits: SchemaLimits = SchemaLimits()) throws(UnsupportedSchema) {
        self.rules = try SchemaReader.read(schema, limits: limits)
        self.limits = limits
    }

    /// What is wrong with `value`, in the order of the schema; empty when nothing is. At most ``SchemaLimits/violations``.
    public func validate(_ value: JSONValue) -> [SchemaViolation] {
        var check = SchemaCheck(rules: rules, limits: limits)
        return check.violations(of: value)
    }

    /// The formats that are asserted, by name.
    public static var formats: [String] { SchemaFormat.allCases.map(\.rawValue) }
}

/// What one schema and one check may cost.
public struct SchemaLimits: Sendable, Hashable {
    /// Schemas within the schema. A provider takes a few hundred; thousands are a program's mistake.
    public var schemas: Int
    /// Levels of schema and value together: checking is recursive, and a stack is finite.
    public var depth: Int
    /// Steps of one check, a rule or a character of a pattern each: about a tenth of a second. Schemas can be written
    /// whose checking takes time exponential in their length.
    public var work: Int
    /// Violations told; a model mends what it reads first, and pays for the rest.
    public var violations: Int

    /// Limits.
    public init(schemas: Int = 4_096, depth: Int = 256, work: Int = 2_000_000, violations: Int = 16) {
        self.schemas = schemas
        self.depth = depth
        self.work = work
        self.violations = violations
    }
}

/// One thing that is wrong with a value.
public struct SchemaViolation: Sendable, Hashable, Codable, CustomStringConvertible {
    /// Where in the value, as a JSON Pointer (RFC 6901): `/items/0/price`; empty for the value itself.
    public var path: String
    /// What it has to be, a sentence a model can act on: `must be an integer, not the string "ten"`.
    public var reason: String

    /// Something that is wrong.
    public init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }

    /// Both in one sentence, such as a model is told.
    public var description: String { "\(path.isEmpty ? "The value" : path) \(reason)." }
}

/// A schema that a ``SchemaValidator`` cannot check by, and where.
public struct UnsupportedSchema: Error, Sendable, Hashable, CustomStringConvertible {
    /// Where in the schema, as a JSON Pointer: `/properties/name/minlength`; empty for the schema itself.
    public var path: String
    /// What is the matter there: the rest of a sentence that begins with the place.
    public var reason: String

    init(_ path: String, _ reason: String) {
        self.path = path
        self.reason = reason
    }

    /// Both in one sentence.
    public var description: String { "\(path.isEmpty ? "The schema" : path) \(reason)." }
}
