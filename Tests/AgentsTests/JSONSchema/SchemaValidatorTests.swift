import Agents
import Testing

@Suite struct SchemaValidatorTests {
    private func refusal(_ schema: String) throws -> UnsupportedSchema? {
        let value = try JSONValue(json: schema)
        return #expect(throws: UnsupportedSchema.self) { try SchemaValidator(value) }
    }

    @Test(arguments: [
        (#"{"properties": {"a": {"minlength": 1}}}"#, "/properties/a/minlength"),
        (#"{"items": {"unevaluatedProperties": false}}"#, "/items/unevaluatedProperties"),
        (#"{"$defs": {"x": {"$id": "other"}}}"#, "/$defs/x/$id"),
        (##"{"$defs": {"unused": {"$ref": "#/nowhere"}}}"##, "/$defs/unused/$ref"),
        (#"{"$ref": "https://example.com/schema"}"#, "/$ref"), (##"{"$ref": "#nowhere"}"##, "/$ref"),
        (##"{"$dynamicRef": "#x"}"##, "/$dynamicRef"),
        (#"{"$schema": "http://json-schema.org/draft-07/schema#"}"#, "/$schema"),
        (#"{"type": "text"}"#, "/type"), (#"{"type": []}"#, "/type"), (#"{"minimum": "1"}"#, "/minimum"),
        (#"{"multipleOf": 0}"#, "/multipleOf"), (#"{"maxItems": -1}"#, "/maxItems"),
        (#"{"minItems": 1, "maxItems": 1.5}"#, "/maxItems"),
        (#"{"pattern": "(?=a)"}"#, "/pattern"), (#"{"format": "color"}"#, "/format"), (#"{"anyOf": []}"#, "/anyOf"),
        (#"{"items": [true]}"#, "/items"), (#"{"required": "a"}"#, "/required"),
        (#"{"properties": {"a/b": 1}}"#, "/properties/a~1b"),
        (#"{"$anchor": "a", "$defs": {"x": {"$anchor": "a"}}}"#, "/$defs/x/$anchor"),
        (##"{"$ref": "#"}"##, ""), (##"{"anyOf": [{"not": {"$ref": "#"}}]}"##, ""), ("1", ""),
    ]) func whatIsNotSupportedIsRefusedByItsPlace(_ schema: String, _ path: String) throws {
        #expect(try refusal(schema)?.path == path)
    }

    @Test func aKeywordThatStandsTwiceIsRefused() throws {
        let schema = JSONValue.object([.init("type", "string"), .init("type", "null")])
        #expect(throws: UnsupportedSchema.self) { try SchemaValidator(schema) }
    }

    @Test func violationsNameThePlaceAndSayWhatToDo() throws {
        let schema = """
            {"type": "object", "required": ["name"], "additionalProperties": false, "properties": {
              "name": {"type": "string"}, "kind": {"enum": ["book", "section"]},
              "items": {"items": {"properties": {"a/b": {"type": "integer", "minimum": 1}}}}}}
            """
        let value = #"{"kind": "page", "nmae": 1, "items": [{}, {"a/b": 0}, {"a/b": "ten"}]}"#
        let violations = try SchemaValidator(try JSONValue(json: schema)).validate(try JSONValue(json: value))
        #expect(
            Set(violations.map(\.description)) == [
                #"The value must have the property "name"."#,
                #"/nmae is not a property that is allowed here; allowed are "items", "kind", "name"."#,
                #"/kind must be one of "book", "section", not the string "page"."#,
                "/items/1/a~1b must be at least 1, not 0.",
                #"/items/2/a~1b must be an integer, not the string "ten"."#,
            ]
        )
    }

    @Test func ofSeveralFormsTheNearestIsTold() throws {
        let schema = """
            {"anyOf": [{"type": "null"}, {"type": "object", "properties": {"size": {"type": "integer"}}}]}
            """
        let violations = try SchemaValidator(try JSONValue(json: schema)).validate(["size": "big"])
        #expect(violations.map(\.path) == ["", "/size"])
        #expect(violations.first?.reason.contains("form 2") == true)
    }

    @Test func noMoreIsToldThanIsRead() throws {
        let validator = try SchemaValidator(["items": false])
        #expect(validator.validate(.array(Array(repeating: 1, count: 1_000))).count == 16)
    }

    @Test func aSchemaThatTakesExponentialTimeIsGivenUp() throws {
        var definitions: [(String, JSONValue)] = []
        for level in 0..<25 {
            let next: JSONValue = ["$ref": .string("#/$defs/l\(level + 1)")]
            definitions.append(("l\(level)", ["oneOf": [next, next]]))
        }
        definitions.append(("l25", true))
        let members = definitions.map { JSONValue.Member($0.0, $0.1) }
        let schema: JSONValue = ["$ref": "#/$defs/l0", "$defs": .object(members)]
        let validator = try SchemaValidator(schema, limits: SchemaLimits(work: 100_000))
        #expect(validator.validate(1).map(\.reason) == ["takes too long to check against the schema"])
    }

    @Test func whatWasGivenUpHoldsInNoNot() throws {
        let limits = SchemaLimits(depth: 16)
        let validator = try SchemaValidator(
            ["not": ["$ref": "#/$defs/a"], "$defs": ["a": ["items": ["$ref": "#/$defs/a"]]]],
            limits: limits
        )
        var value: JSONValue = 1
        for _ in 0..<20 { value = [value] }
        #expect(validator.validate(value).map(\.reason) == ["is nested too deeply to be checked"])
    }

    @Test func deepSchemasAndValuesDoNotOverflow() throws {
        var value: JSONValue = 1
        for _ in 0..<400 { value = [value] }
        #expect(try !SchemaValidator(["items": ["$ref": "#"]]).validate(value).isEmpty)
        var schema: JSONValue = true
        for _ in 0..<400 { schema = ["not": schema] }
        #expect(throws: UnsupportedSchema.self) { try SchemaValidator(schema) }
        #expect(throws: UnsupportedSchema.self) {
            try SchemaValidator(["enum": [], "allOf": .array(Array(repeating: true, count: 5_000))])
        }
    }
}
