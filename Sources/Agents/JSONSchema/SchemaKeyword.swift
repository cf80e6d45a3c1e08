/// The keywords that are read, of which the last two lines say nothing about a value.
enum SchemaKeyword: String, Sendable {
    case type, `enum`, const
    case minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf
    case minLength, maxLength, pattern, format
    case minItems, maxItems, uniqueItems, prefixItems, items, contains, minContains, maxContains
    case minProperties, maxProperties, required, dependentRequired, dependentSchemas
    case properties, patternProperties, additionalProperties, propertyNames
    case allOf, anyOf, oneOf, not, `if`, then, `else`
    case schema = "$schema"
    case id = "$id"
    case reference = "$ref"
    case anchor = "$anchor"
    case defs = "$defs"
    case definitions
    case comment = "$comment"
    case title, description, `default`, examples, deprecated, readOnly, writeOnly
    case contentEncoding, contentMediaType, contentSchema
}

extension SchemaReader {
    /// What `keyword` asks; `nil` when it asks nothing, or what another keyword of the same schema has said.
    mutating func rule(
        of keyword: SchemaKeyword,
        _ here: Place,
        in schema: Place,
        schema index: Int,
        ruleIndex: Int
    ) throws(UnsupportedSchema) -> SchemaRule? {
        switch keyword {
        case .type, .enum, .const, .multipleOf, .pattern, .format, .uniqueItems, .required:
            return try simpleRule(of: keyword, here)
        case .minimum, .maximum, .exclusiveMinimum, .exclusiveMaximum: return try bound(keyword, here)
        case .minLength, .maxLength:
            return try count(keyword, here, in: schema, .minLength, .maxLength) { .length(least: $0, most: $1) }
        case .minItems, .maxItems:
            return try count(keyword, here, in: schema, .minItems, .maxItems) { .itemCount(least: $0, most: $1) }
        case .minProperties, .maxProperties:
            return try count(keyword, here, in: schema, .minProperties, .maxProperties) {
                .propertyCount(least: $0, most: $1)
            }
        case .prefixItems, .items: return try items(keyword, in: schema)
        case .contains, .minContains, .maxContains: return try contains(keyword, here, in: schema)
        case .properties, .patternProperties, .additionalProperties: return try properties(keyword, in: schema)
        case .dependentRequired, .dependentSchemas: return try dependents(keyword, here)
        case .propertyNames: return .propertyNames(try self.index(of: here))
        case .allOf: return .all(try list(here))
        case .anyOf: return .any(try list(here))
        case .oneOf: return .exactlyOne(try list(here))
        case .not: return .not(try self.index(of: here))
        case .if, .then, .else: return try condition(keyword, here, in: schema)
        case .reference: return try reference(here, schema: index, ruleIndex: ruleIndex)
        case .anchor, .schema, .id, .defs, .definitions, .contentSchema:
            try note(keyword, here, in: schema, index: index)
            return nil
        case .comment, .title, .description, .default, .examples, .deprecated, .readOnly, .writeOnly,
            .contentEncoding, .contentMediaType:
            return nil
        }
    }

    /// What is no rule but has to be read all the same.
    private mutating func note(
        _ keyword: SchemaKeyword,
        _ here: Place,
        in schema: Place,
        index: Int
    ) throws(UnsupportedSchema) {
        switch keyword {
        case .anchor:
            let name = try here.string()
            guard anchors.updateValue(index, forKey: name) == nil else {
                throw UnsupportedSchema(here.pointer, "is the name of another place as well")
            }
        case .schema:
            let dialect = "https://json-schema.org/draft/2020-12/schema"
            guard [dialect, dialect + "#"].contains(try here.string()) else {
                throw UnsupportedSchema(here.pointer, "names another dialect than \(dialect)")
            }
        case .id where !schema.pointer.isEmpty:
            throw UnsupportedSchema(here.pointer, "stands below the root, which is not supported")
        case .defs, .definitions: for member in try here.members() { _ = try self.index(of: here.child(member)) }
        case .contentSchema: _ = try self.index(of: here)
        default: break
        }
    }

    mutating func list(_ here: Place) throws(UnsupportedSchema) -> [Int] {
        guard case .array(let schemas) = here.value, !schemas.isEmpty else {
            throw UnsupportedSchema(here.pointer, "must be a list of schemas, at least one")
        }
        var indices: [Int] = []
        for (number, schema) in schemas.enumerated() {
            indices.append(try index(of: Place(value: schema, pointer: here.pointer.child("\(number)"))))
        }
        return indices
    }

    private mutating func reference(
        _ here: Place,
        schema: Int,
        ruleIndex: Int
    ) throws(UnsupportedSchema) -> SchemaRule {
        let reference = try here.string()
        guard reference.hasPrefix("#"), let fragment = String(reference.dropFirst()).percentDecoded else {
            throw UnsupportedSchema(here.pointer, "refers to \"\(reference)\", which is not within this schema")
        }
        guard fragment.isEmpty || fragment.hasPrefix("/") else {
            anchorReferences.append(
                AnchorReference(schema: schema, rule: ruleIndex, name: fragment, pointer: here.pointer)
            )
            return .never
        }
        guard let target = root.value(at: fragment) else {
            throw UnsupportedSchema(here.pointer, "refers to \"\(reference)\", which is not there")
        }
        return .reference(try index(of: Place(value: target, pointer: fragment)))
    }
}
