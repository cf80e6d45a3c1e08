/// One thing a schema asks of a value; other schemas are named by their index.
enum SchemaRule: Sendable {
    case never
    case types([SchemaType])
    case oneOfValues([CanonicalJSON])
    case bound(SchemaBound)
    case multipleOf(SchemaNumber)
    case length(least: Int, most: Int)
    case pattern(Pattern)
    case format(SchemaFormat)
    case itemCount(least: Int, most: Int)
    case items(first: [Int], rest: Int?)
    case contains(Int, least: Int, most: Int)
    case uniqueItems
    case propertyCount(least: Int, most: Int)
    case required([String])
    case requiredWith([(name: String, required: [String])])
    case properties(MemberRules)
    case propertyNames(Int)
    case schemaWith([(name: String, schema: Int)])
    case reference(Int)
    case all([Int])
    case any([Int])
    case exactlyOne([Int])
    case not(Int)
    case condition(if: Int, then: Int?, else: Int?)
}

extension SchemaRule {
    /// The schemas it puts to the same value, not to a part of it.
    var inPlace: [Int] {
        switch self {
        case .reference(let index), .not(let index): [index]
        case .schemaWith(let schemas): schemas.map(\.schema)
        case .all(let indices), .any(let indices), .exactlyOne(let indices): indices
        case .condition(let test, let then, let otherwise): [test] + [then, otherwise].compactMap(\.self)
        default: []
        }
    }
}

/// The types of JSON Schema.
enum SchemaType: String, Sendable, CaseIterable {
    case null, boolean, integer, number, string, array, object

    /// With its article: "an integer".
    var phrase: String {
        switch self {
        case .null: "null"
        case .boolean: "true or false"
        case .integer: "an integer"
        case .array: "an array"
        case .object: "an object"
        case .number, .string: "a \(rawValue)"
        }
    }

    func holds(_ value: JSONValue) -> Bool {
        switch (self, value) {
        case (.null, .null), (.boolean, .bool), (.string, .string), (.array, .array), (.object, .object): true
        case (.number, .integer), (.number, .number), (.integer, .integer): true
        case (.integer, .number(let number)): number.isFinite && number.rounded() == number
        default: false
        }
    }
}

/// One end of a range of numbers.
struct SchemaBound: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        case minimum, maximum, exclusiveMinimum, exclusiveMaximum
    }

    var kind: Kind
    var limit: SchemaNumber

    var phrase: String {
        switch kind {
        case .minimum: "at least \(limit)"
        case .maximum: "at most \(limit)"
        case .exclusiveMinimum: "greater than \(limit)"
        case .exclusiveMaximum: "less than \(limit)"
        }
    }

    func holds(_ number: SchemaNumber) -> Bool {
        switch kind {
        case .minimum: !(number < limit)
        case .maximum: !(limit < number)
        case .exclusiveMinimum: limit < number
        case .exclusiveMaximum: number < limit
        }
    }
}

/// What is asked of the members of an object, by their names.
struct MemberRules: Sendable {
    var named: [SchemaName: Int] = [:]
    /// The names as they stand in the schema, for a model that wrote another.
    var names: [String] = []
    var patterns: [(pattern: Pattern, schema: Int)] = []
    var others: Int?
}

/// A name compared by its code points: to Swift's strings "é" and "e\u{301}" are the same, to JSON they are not.
struct SchemaName: Sendable, Hashable {
    private let utf8: [UInt8]

    init(_ name: String) {
        self.utf8 = Array(name.utf8)
    }
}

/// A value written in one way only, so that equal values are equal bytes: members sorted, `1.0` as `1`.
struct CanonicalJSON: Sendable, Hashable {
    private let utf8: [UInt8]

    init(_ value: JSONValue) {
        self.utf8 = Array(Self.sorted(value).text.utf8)
    }

    /// What it says, for people.
    var text: String { String(decoding: utf8, as: UTF8.self) }

    /// How much work comparing it is.
    var size: Int { utf8.count }

    private static func sorted(_ value: JSONValue) -> JSONValue {
        switch value {
        case .number(let number):
            Int(exactly: number).map(JSONValue.integer) ?? value
        case .array(let items):
            .array(items.map(sorted))
        case .object(let members):
            .object(
                members.map { JSONValue.Member($0.name, sorted($0.value)) }
                    .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
            )
        default: value
        }
    }
}
