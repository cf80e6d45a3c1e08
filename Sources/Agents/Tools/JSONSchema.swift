import FoundationEssentials

/// The JSON Schema of a `Decodable` type, found without macros: the type is decoded once from a decoder that has no data
/// but notes which keys are asked for and as what.
///
/// Known are `String`, `Bool`, all integers, `Double`, `Float`, `Decimal`, `UUID`, `URL`, `Date` (ISO 8601), `Data`
/// (base64), arrays, sets, dictionaries with `String` keys, optionals, enums with raw values that are `CaseIterable`, and
/// any `Decodable` made of these. A type that reads itself in another way, or refuses the sample values, cannot be
/// described; give ``Tool`` the schema then.
///
/// The result stays within the part of JSON Schema every provider takes: `type`, `properties`, `required`, `enum`,
/// `items`, `description`, `format`, `additionalProperties`.
public struct JSONSchema: Sendable, Hashable {
    /// The schema.
    public let json: JSONValue

    /// Describes `type`.
    ///
    /// - Throws: ``AgentError/Code/misconfigured``, saying which property and what to do.
    public init<Value: Decodable>(of type: Value.Type) throws(AgentError) {
        do {
            self.json = try SchemaExplorer().explore(type).schema
        } catch let obstacle as SchemaObstacle {
            throw AgentError(.misconfigured, "The arguments \(type) cannot be described: \(obstacle.message)")
        } catch {
            throw AgentError(
                .misconfigured,
                "The arguments \(type) cannot be described: they refuse sample values. Give the tool its parameters."
            )
        }
    }
}

/// Arguments that say what their properties are for.
///
/// ```swift
/// struct Place: Decodable, Described {
///     let city: String
///     static let descriptions = ["city": "Its English name, without the country."]
/// }
/// ```
public protocol Described {
    /// Sentences by the name of the property (its coding key). A name that is no property is refused when the tool is
    /// made, so that a renamed property does not silently lose its description.
    static var descriptions: [String: String] { get }
}

/// Why a type cannot be described.
struct SchemaObstacle: Error {
    let message: String
}

/// A type whose schema is known beforehand.
protocol SchemaLeaf: Decodable {
    static var schema: JSONValue { get }
    /// Any value: the explored type needs one to go on.
    static var sample: Self { get }
}

extension String: SchemaLeaf {
    static var schema: JSONValue { ["type": "string"] }
    static var sample: String { "" }
}

extension Bool: SchemaLeaf {
    static var schema: JSONValue { ["type": "boolean"] }
    static var sample: Bool { false }
}

extension SchemaLeaf where Self: FixedWidthInteger {
    static var schema: JSONValue { ["type": "integer"] }
    static var sample: Self { 0 }
}

extension Int: SchemaLeaf {}
extension Int8: SchemaLeaf {}
extension Int16: SchemaLeaf {}
extension Int32: SchemaLeaf {}
extension Int64: SchemaLeaf {}
extension UInt: SchemaLeaf {}
extension UInt8: SchemaLeaf {}
extension UInt16: SchemaLeaf {}
extension UInt32: SchemaLeaf {}
extension UInt64: SchemaLeaf {}

extension SchemaLeaf where Self: BinaryFloatingPoint {
    static var schema: JSONValue { ["type": "number"] }
    static var sample: Self { 0 }
}

extension Double: SchemaLeaf {}
extension Float: SchemaLeaf {}

extension Decimal: SchemaLeaf {
    static var schema: JSONValue { ["type": "number"] }
    static var sample: Decimal { 0 }
}

extension UUID: SchemaLeaf {
    static var schema: JSONValue { ["type": "string", "format": "uuid"] }
    static var sample: UUID { UUID() }
}

extension Date: SchemaLeaf {
    static var schema: JSONValue { ["type": "string", "format": "date-time"] }
    static var sample: Date { Date(timeIntervalSince1970: 0) }
}

extension Data: SchemaLeaf {
    static var schema: JSONValue { ["type": "string", "description": "base64"] }
    static var sample: Data { Data() }
}

extension URL: SchemaLeaf {
    static var schema: JSONValue { ["type": "string", "format": "uri"] }
    static var sample: URL { URL(filePath: "/") }
}
