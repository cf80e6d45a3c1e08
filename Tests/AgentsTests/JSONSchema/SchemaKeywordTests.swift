import Testing

/// A table of cases for every keyword that the validator claims. The JSON Schema project's own suite is run by
/// `Tests/Benchmarks/json-schema`.
@Suite struct SchemaKeywordTests {
    @Test func keywordsOfAllTypes() throws { for schemaCase in Self.values { try schemaCase.check() } }
    @Test func keywordsOfNumbers() throws { for schemaCase in Self.numbers { try schemaCase.check() } }
    @Test func keywordsOfStrings() throws { for schemaCase in Self.strings { try schemaCase.check() } }
    @Test func keywordsOfArrays() throws { for schemaCase in Self.arrays { try schemaCase.check() } }
    @Test func keywordsOfObjects() throws { for schemaCase in Self.objects { try schemaCase.check() } }
    @Test func keywordsThatCombine() throws { for schemaCase in Self.combinations { try schemaCase.check() } }
    @Test func keywordsThatRefer() throws { for schemaCase in Self.references { try schemaCase.check() } }

    private static let values = [
        SchemaCase("true", takes: ["1", "null"]),
        SchemaCase("false", refuses: ["1", "null"]),
        SchemaCase("{}", takes: ["1", "[]"]),
        SchemaCase(
            #"{"type": "integer"}"#,
            takes: ["1", "-1", "1.0", "1e2"],
            refuses: ["1.1", #""1""#, "null", "true"]
        ),
        SchemaCase(#"{"type": "number"}"#, takes: ["1", "1.1"], refuses: [#""1""#, "false"]),
        SchemaCase(#"{"type": "string"}"#, takes: [#""""#], refuses: ["1", "[]"]),
        SchemaCase(#"{"type": "boolean"}"#, takes: ["true", "false"], refuses: ["0", #""""#, "null"]),
        SchemaCase(#"{"type": "null"}"#, takes: ["null"], refuses: ["0", "false", #""""#]),
        SchemaCase(#"{"type": "array"}"#, takes: ["[]"], refuses: ["{}"]),
        SchemaCase(#"{"type": "object"}"#, takes: ["{}"], refuses: ["[]"]),
        SchemaCase(#"{"type": ["string", "null"]}"#, takes: [#""a""#, "null"], refuses: ["1"]),
        SchemaCase(
            #"{"enum": [1, "a", null, {"x": [1, 2]}]}"#,
            takes: ["1", "1.0", #""a""#, "null", #"{"x": [1.0, 2]}"#],
            refuses: ["2", "true", #"{"x": [2, 1]}"#, #"{"x": [1, 2], "y": 1}"#]
        ),
        SchemaCase(#"{"enum": []}"#, refuses: ["1", "null"]),
        SchemaCase(#"{"enum": [false]}"#, takes: ["false"], refuses: ["0", "0.0"]),
        SchemaCase(#"{"const": {"a": 1, "b": 2}}"#, takes: [#"{"b": 2, "a": 1.0}"#], refuses: [#"{"a": 1}"#, "1"]),
        SchemaCase(#"{"const": -2.0}"#, takes: ["-2", "-2.0"], refuses: ["2", "-2.00001"]),
        SchemaCase(#"{"const": "\u00e9"}"#, takes: [#""é""#], refuses: [#""e\u0301""#]),
        SchemaCase(#"{"title": "t", "x-order": 1, "default": 5, "examples": [1], "$comment": "c"}"#, takes: ["null"]),
    ]

    private static let numbers = [
        SchemaCase(#"{"minimum": 1.1}"#, takes: ["1.1", "2.6", #""x""#], refuses: ["0.6", "1"]),
        SchemaCase(#"{"minimum": -2}"#, takes: ["-2", "-2.0"], refuses: ["-2.0001", "-3"]),
        SchemaCase(#"{"maximum": 3}"#, takes: ["3", "3.0"], refuses: ["3.5", "4"]),
        SchemaCase(#"{"exclusiveMinimum": 1.1}"#, takes: ["1.2"], refuses: ["1.1", "0.6"]),
        SchemaCase(#"{"exclusiveMaximum": 3.0}"#, takes: ["2.2"], refuses: ["3.0", "3", "3.5"]),
        SchemaCase(#"{"maximum": 9007199254740993}"#, takes: ["9007199254740993"], refuses: ["9007199254740994"]),
        SchemaCase(#"{"multipleOf": 2}"#, takes: ["10", "0", "-4", #""x""#], refuses: ["7", "2.5"]),
        SchemaCase(#"{"multipleOf": 1.5}"#, takes: ["0", "4.5"], refuses: ["35"]),
        SchemaCase(#"{"multipleOf": 0.0001}"#, takes: ["0.0075", "3"], refuses: ["0.00751"]),
        SchemaCase(#"{"multipleOf": 0.123456789}"#, refuses: ["1e308"]),
        SchemaCase(#"{"multipleOf": 1e-8}"#, takes: ["12391239123"]),
        SchemaCase(#"{"multipleOf": 1e30}"#, takes: ["1e31", "0"], refuses: ["1e29", "5"]),
    ]

    private static let strings = [
        SchemaCase(#"{"minLength": 2}"#, takes: [#""fo""#, "1"], refuses: [#""f""#, #""💩""#]),
        SchemaCase(#"{"maxLength": 2.0}"#, takes: [#""💩💩""#], refuses: [#""foo""#, #""e\u0301x""#]),
        SchemaCase(#"{"minLength": 1, "maxLength": 2}"#, takes: [#""a""#], refuses: [#""""#, #""abc""#]),
        SchemaCase(#"{"pattern": "^a*$"}"#, takes: [#""aaa""#, #""""#, "1"], refuses: [#""abc""#]),
        SchemaCase(#"{"pattern": "a+"}"#, takes: [#""xxaayy""#], refuses: [#""x""#]),
    ]

    private static let arrays = [
        SchemaCase(#"{"minItems": 1, "maxItems": 2}"#, takes: ["[1]", "[1, 2]", "1"], refuses: ["[]", "[1, 2, 3]"]),
        SchemaCase(#"{"items": {"type": "integer"}}"#, takes: ["[1, 2]", "[]", "{}"], refuses: [#"[1, "x"]"#]),
        SchemaCase(#"{"items": false}"#, takes: ["[]"], refuses: ["[1]"]),
        SchemaCase(
            #"{"prefixItems": [{"type": "integer"}, {"type": "string"}], "items": false}"#,
            takes: ["[]", "[1]", #"[1, "a"]"#],
            refuses: [#"["a"]"#, #"[1, "a", 2]"#]
        ),
        SchemaCase(#"{"prefixItems": [true]}"#, takes: [#"[1, "a", null]"#]),
        SchemaCase(#"{"contains": {"minimum": 5}}"#, takes: ["[3, 5]", "{}"], refuses: ["[2, 3]", "[]"]),
        SchemaCase(#"{"contains": {"const": 1}, "minContains": 0}"#, takes: ["[]", "[2]"]),
        SchemaCase(
            #"{"contains": {"const": 1}, "minContains": 2, "maxContains": 3}"#,
            takes: ["[1, 1]", "[1, 2, 1, 1]"],
            refuses: ["[1]", "[1, 1, 1, 1]"]
        ),
        SchemaCase(#"{"minContains": 2, "maxContains": 1}"#, takes: ["[]"]),
        SchemaCase(
            #"{"uniqueItems": true}"#,
            takes: ["[1, 2]", "[0, false]", #"[[1], [true]]"#, #"[{"a": false}, {"a": 0}]"#],
            refuses: ["[1, 1.0]", #"[{"a": 1, "b": 2}, {"b": 2, "a": 1}]"#, "[[1], [2], [1]]"]
        ),
        SchemaCase(#"{"uniqueItems": false}"#, takes: ["[1, 1]"]),
    ]

    private static let objects = [
        SchemaCase(
            #"{"properties": {"a": {"type": "integer"}, "b": false}}"#,
            takes: ["{}", #"{"a": 1, "c": []}"#, "[]"],
            refuses: [#"{"a": "x"}"#, #"{"b": 1}"#]
        ),
        SchemaCase(#"{"properties": {"é": false}}"#, takes: [#"{"e\u0301": 1}"#], refuses: [#"{"\u00e9": 1}"#]),
        SchemaCase(
            #"{"properties": {"a": {}}, "patternProperties": {"^v": {"type": "string"}}, "additionalProperties": false}"#,
            takes: [#"{"a": 1, "vx": "s"}"#],
            refuses: [#"{"b": 1}"#, #"{"vx": 1}"#]
        ),
        SchemaCase(
            #"{"patternProperties": {"f.*o": {"type": "integer"}, "o$": {"maximum": 3}}}"#,
            takes: [#"{"foo": 1, "x": "s"}"#],
            refuses: [#"{"foo": 5}"#, #"{"foo": "s"}"#]
        ),
        SchemaCase(
            #"{"additionalProperties": {"type": "boolean"}}"#,
            takes: [#"{"a": true}"#],
            refuses: [#"{"a": 1}"#]
        ),
        SchemaCase(
            #"{"allOf": [{"properties": {"a": {}}}], "additionalProperties": false}"#,
            takes: ["{}"],
            refuses: [#"{"a": 1}"#]
        ),
        SchemaCase(#"{"propertyNames": {"maxLength": 3}}"#, takes: [#"{"foo": 1}"#, "{}"], refuses: [#"{"fooo": 1}"#]),
        SchemaCase(
            #"{"required": ["a", "b"]}"#,
            takes: [#"{"a": 1, "b": null}"#, "1"],
            refuses: [#"{"a": 1}"#, "{}"]
        ),
        SchemaCase(
            #"{"minProperties": 1, "maxProperties": 1}"#,
            takes: [#"{"a": 1}"#],
            refuses: ["{}", #"{"a":1,"b":1}"#]
        ),
        SchemaCase(
            #"{"dependentRequired": {"a": ["b", "c"], "d": []}}"#,
            takes: [#"{"b": 1}"#, #"{"a": 1, "b": 1, "c": 1}"#, #"{"d": 1}"#],
            refuses: [#"{"a": 1, "b": 1}"#]
        ),
        SchemaCase(
            #"{"dependentSchemas": {"a": {"properties": {"b": {"type": "integer"}}}}}"#,
            takes: [#"{"b": "x"}"#, #"{"a": 1, "b": 1}"#],
            refuses: [#"{"a": 1, "b": "x"}"#]
        ),
    ]

    private static let combinations = [
        SchemaCase(#"{"allOf": [{"minimum": 1}, {"maximum": 3}]}"#, takes: ["2"], refuses: ["0", "4"]),
        SchemaCase(#"{"anyOf": [{"type": "integer"}, {"minimum": 2}]}"#, takes: ["1", "2.5"], refuses: ["1.5"]),
        SchemaCase(#"{"oneOf": [{"type": "integer"}, {"minimum": 2}]}"#, takes: ["1", "2.5"], refuses: ["3", "1.5"]),
        SchemaCase(#"{"not": {"type": ["integer", "boolean"]}}"#, takes: [#""a""#], refuses: ["1", "true"]),
        SchemaCase(#"{"not": {}}"#, refuses: ["1"]),
        SchemaCase(
            #"{"if": {"exclusiveMaximum": 0}, "then": {"minimum": -10}, "else": {"multipleOf": 2}}"#,
            takes: ["-1", "4"],
            refuses: ["-100", "3"]
        ),
        SchemaCase(#"{"if": {"const": 0}}"#, takes: ["0", "1"]),
        SchemaCase(#"{"then": false, "else": false}"#, takes: ["0"]),
    ]

    private static let references = [
        SchemaCase(
            ##"{"properties": {"child": {"$ref": "#"}}, "additionalProperties": false}"##,
            takes: [#"{"child": {"child": {}}}"#],
            refuses: [#"{"child": {"x": 1}}"#]
        ),
        SchemaCase(
            ##"{"$ref": "#/$defs/n", "maximum": 5, "$defs": {"n": {"type": "integer"}}}"##,
            takes: ["3"],
            refuses: ["6", "1.5"]
        ),
        SchemaCase(
            ##"{"properties": {"t": {"$ref": "#/$defs/a~1b"}, "p": {"$ref": "#/$defs/c%25d"}, "z": {"$ref": "#/$defs/e~0f"}}, "$defs": {"a/b": {"type": "integer"}, "c%d": {"type": "integer"}, "e~f": {"type": "integer"}}}"##,
            takes: [#"{"t": 1, "p": 1, "z": 1}"#],
            refuses: [#"{"t": "x"}"#, #"{"p": "x"}"#, #"{"z": "x"}"#]
        ),
        SchemaCase(
            ##"{"$ref": "#here", "$defs": {"x": {"$anchor": "here", "type": "null"}}}"##,
            takes: ["null"],
            refuses: ["1"]
        ),
        SchemaCase(
            ##"{"prefixItems": [{"type": "integer"}, {"$ref": "#/prefixItems/0"}]}"##,
            takes: ["[1, 2]"],
            refuses: [#"[1, "x"]"#]
        ),
        SchemaCase(
            ##"{"definitions": {"old": {"type": "string"}}, "$ref": "#/definitions/old"}"##,
            takes: [#""x""#],
            refuses: ["1"]
        ),
    ]
}
