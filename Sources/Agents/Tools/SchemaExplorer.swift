/// Finds the schema of a type, and a sample value of it so that the type around it can be explored further.
struct SchemaExplorer {
    /// The types being explored, outermost first: one met again within itself would never end.
    private var path: [any Decodable.Type] = []

    func explore<Value: Decodable>(_ type: Value.Type) throws -> (schema: JSONValue, sample: Value) {
        if let leaf = type as? any SchemaLeaf.Type, let sample = leaf.sample as? Value {
            return (leaf.schema, sample)
        }
        if let choice = type as? any (CaseIterable & RawRepresentable).Type {
            return try explore(choice: choice)
        }
        if let dictionary = type as? any SchemaDictionary.Type, let sample = dictionary.sample as? Value {
            let values = try dictionary.exploreValues(with: self)
            return (["type": "object", "additionalProperties": values], sample)
        }
        guard !path.contains(where: { $0 == type }) else {
            throw SchemaObstacle(message: "\(type) contains itself. Give the tool its parameters.")
        }
        var inner = self
        inner.path.append(type)
        let decoder = SchemaDecoder(explorer: inner)
        let sample: Value
        do {
            sample = try Value(from: decoder)
        } catch let obstacle as SchemaObstacle {
            throw obstacle
        } catch {
            throw SchemaObstacle(
                message: "\(type) refuses a sample value. If it is an enum, make it CaseIterable with raw values; "
                    + "if not, give the tool its parameters."
            )
        }
        return (try decoder.notes.schema(of: type), sample)
    }

    /// An enum: its raw values, strings or whole numbers.
    private func explore<Value>(choice: any (CaseIterable & RawRepresentable).Type) throws -> (JSONValue, Value) {
        func values<Choice: CaseIterable & RawRepresentable>(_: Choice.Type) -> (raw: [Any], sample: Any?) {
            (Choice.allCases.map(\.rawValue), Choice.allCases.first)
        }
        let (raw, first) = values(choice)
        guard let sample = first as? Value else {
            throw SchemaObstacle(message: "\(choice) has no cases.")
        }
        if let strings = raw as? [String] {
            return (["type": "string", "enum": .array(strings.map { .string($0) })], sample)
        }
        if let integers = raw as? [Int] {
            return (["type": "integer", "enum": .array(integers.map { .integer($0) })], sample)
        }
        throw SchemaObstacle(message: "the raw values of \(choice) are neither String nor Int.")
    }
}

/// A dictionary decodes no key when there is no data, so its values are found by its type.
private protocol SchemaDictionary {
    static var sample: Self { get }
    static func exploreValues(with explorer: SchemaExplorer) throws -> JSONValue
}

extension Dictionary: SchemaDictionary where Key == String, Value: Decodable {
    fileprivate static var sample: [String: Value] { [:] }

    fileprivate static func exploreValues(with explorer: SchemaExplorer) throws -> JSONValue {
        try explorer.explore(Value.self).schema
    }
}
