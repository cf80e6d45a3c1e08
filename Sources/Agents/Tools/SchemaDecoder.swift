/// A decoder without data: it notes what it is asked for and answers with samples.
struct SchemaDecoder: Decoder {
    let explorer: SchemaExplorer
    let notes = SchemaNotes()
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy: Key.Type) -> KeyedDecodingContainer<Key> {
        notes.isObject = true
        return KeyedDecodingContainer(SchemaProperties(explorer: explorer, notes: notes))
    }

    func unkeyedContainer() -> any UnkeyedDecodingContainer {
        SchemaItems(explorer: explorer, notes: notes)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer {
        SchemaSingleValue(explorer: explorer, notes: notes)
    }
}

/// What one type asked for. A class, because a decoder's containers are copies that share it; it never leaves one call of
/// ``SchemaExplorer/explore(_:)``.
final class SchemaNotes {
    struct Property {
        let name: String
        let schema: JSONValue
    }

    var isObject = false
    var properties: [Property] = []
    var optional: Set<String> = []
    /// The schema of a type that is not an object.
    var other: JSONValue?

    /// A type may ask twice for a key, trying one form and then another: the first is kept.
    func note(_ property: Property) {
        guard !properties.contains(where: { $0.name == property.name }) else { return }
        properties.append(property)
    }

    func schema(of type: any Decodable.Type) throws -> JSONValue {
        if let other, !isObject { return other }
        let descriptions = (type as? any Described.Type)?.descriptions ?? [:]
        if let unknown = descriptions.keys.sorted().first(where: { name in !properties.contains { $0.name == name } }) {
            throw SchemaObstacle(message: "it describes \"\(unknown)\", which is no property of \(type).")
        }
        return [
            "type": "object",
            "properties": .object(
                properties.map { property in
                    .init(property.name, property.schema.described(by: descriptions[property.name]))
                }
            ),
            "required": .array(properties.map(\.name).filter { !optional.contains($0) }.map(JSONValue.string)),
            "additionalProperties": false,
        ]
    }
}

extension JSONValue {
    /// The schema with a description, in place of one it has.
    fileprivate func described(by description: String?) -> JSONValue {
        guard let description, case .object(let members) = self else { return self }
        return .object(members.filter { $0.name != "description" } + [.init("description", .string(description))])
    }
}

private struct SchemaProperties<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let explorer: SchemaExplorer
    let notes: SchemaNotes
    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] { [] }

    /// Whoever asks whether a key is there can do without it, as `decodeIfPresent` does.
    func contains(_ key: Key) -> Bool {
        notes.optional.insert(key.stringValue)
        return true
    }

    func decodeNil(forKey key: Key) -> Bool {
        notes.optional.insert(key.stringValue)
        return false
    }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        let (schema, sample) = try explorer.explore(type)
        notes.note(.init(name: key.stringValue, schema: schema))
        return sample
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy: Nested.Type,
        forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> { throw obstacle(key) }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { throw obstacle(key) }
    func superDecoder() throws -> any Decoder { throw SchemaObstacle.inheritance }
    func superDecoder(forKey key: Key) throws -> any Decoder { throw SchemaObstacle.inheritance }

    private func obstacle(_ key: Key) -> SchemaObstacle {
        SchemaObstacle(message: "\"\(key.stringValue)\" is read by hand. Give the tool its parameters.")
    }
}

/// An array of which the first element is there, so that it is asked for.
private struct SchemaItems: UnkeyedDecodingContainer {
    let explorer: SchemaExplorer
    let notes: SchemaNotes
    var currentIndex = 0
    var count: Int? { 1 }
    var isAtEnd: Bool { currentIndex > 0 }
    var codingPath: [any CodingKey] { [] }

    init(explorer: SchemaExplorer, notes: SchemaNotes) {
        self.explorer = explorer
        self.notes = notes
    }

    func decodeNil() -> Bool { false }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let (schema, sample) = try explorer.explore(type)
        guard currentIndex == 0 else {
            throw SchemaObstacle(message: "an array is read item by item. Give the tool its parameters.")
        }
        currentIndex = 1
        notes.other = ["type": "array", "items": schema]
        return sample
    }

    func nestedContainer<Nested: CodingKey>(keyedBy: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
        throw SchemaObstacle(message: "an array is read by hand. Give the tool its parameters.")
    }

    func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        throw SchemaObstacle(message: "an array is read by hand. Give the tool its parameters.")
    }

    func superDecoder() throws -> any Decoder { throw SchemaObstacle.inheritance }
}

private struct SchemaSingleValue: SingleValueDecodingContainer {
    let explorer: SchemaExplorer
    let notes: SchemaNotes
    var codingPath: [any CodingKey] { [] }

    func decodeNil() -> Bool { false }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let (schema, sample) = try explorer.explore(type)
        notes.other = schema
        return sample
    }
}

extension SchemaObstacle {
    fileprivate static let inheritance = SchemaObstacle(
        message: "it is a subclass. Use a struct, or give the tool its parameters."
    )
}
