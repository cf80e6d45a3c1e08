/// The keywords that come alone, and those that are read together: the first of them to stand in the schema speaks for all.
extension SchemaReader {
    func simpleRule(of keyword: SchemaKeyword, _ here: Place) throws(UnsupportedSchema) -> SchemaRule? {
        switch keyword {
        case .type: return .types(try here.types())
        case .enum:
            guard case .array(let values) = here.value else {
                throw UnsupportedSchema(here.pointer, "must be a list of values")
            }
            return .oneOfValues(values.map(CanonicalJSON.init))
        case .const: return .oneOfValues([CanonicalJSON(here.value)])
        case .multipleOf:
            guard let number = SchemaNumber(here.value), number.isPositive else {
                throw UnsupportedSchema(here.pointer, "must be a number greater than 0")
            }
            return .multipleOf(number)
        case .pattern: return .pattern(try here.pattern(here.string()))
        case .format:
            let name = try here.string()
            guard let format = SchemaFormat(rawValue: name) else {
                let known = SchemaFormat.allCases.map(\.rawValue).joined(separator: ", ")
                throw UnsupportedSchema(here.pointer, "is \"\(name)\", which is none of the formats checked: \(known)")
            }
            return .format(format)
        case .uniqueItems:
            guard case .bool(let isAsked) = here.value else {
                throw UnsupportedSchema(here.pointer, "must be true or false")
            }
            return isAsked ? .uniqueItems : nil
        default: return .required(try here.strings())
        }
    }

    func bound(_ keyword: SchemaKeyword, _ here: Place) throws(UnsupportedSchema) -> SchemaRule {
        guard let number = SchemaNumber(here.value), let kind = SchemaBound.Kind(rawValue: keyword.rawValue) else {
            throw UnsupportedSchema(here.pointer, "must be a number")
        }
        return .bound(SchemaBound(kind: kind, limit: number))
    }

    /// `min…` and `max…` together.
    func count(
        _ keyword: SchemaKeyword,
        _ here: Place,
        in schema: Place,
        _ least: SchemaKeyword,
        _ most: SchemaKeyword,
        _ rule: (Int, Int) -> SchemaRule
    ) throws(UnsupportedSchema) -> SchemaRule? {
        let minimum = try schema.child(least)?.count()
        if keyword == most, minimum != nil { return nil }
        return rule(minimum ?? 0, try schema.child(most)?.count() ?? .max)
    }

    mutating func items(_ keyword: SchemaKeyword, in schema: Place) throws(UnsupportedSchema) -> SchemaRule? {
        let prefix = schema.child(.prefixItems)
        if keyword == .items, prefix != nil { return nil }
        var first: [Int] = []
        if let prefix { first = try list(prefix) }
        var rest: Int?
        if let items = schema.child(.items) { rest = try index(of: items) }
        return .items(first: first, rest: rest)
    }

    mutating func contains(
        _ keyword: SchemaKeyword,
        _ here: Place,
        in schema: Place
    ) throws(UnsupportedSchema) -> SchemaRule? {
        guard keyword == .contains else {
            _ = try here.count()
            return nil
        }
        return .contains(
            try index(of: here),
            least: try schema.child(.minContains)?.count() ?? 1,
            most: try schema.child(.maxContains)?.count() ?? .max
        )
    }

    mutating func properties(_ keyword: SchemaKeyword, in schema: Place) throws(UnsupportedSchema) -> SchemaRule? {
        let (named, patterns, others) = (
            schema.child(.properties), schema.child(.patternProperties), schema.child(.additionalProperties)
        )
        if keyword == .additionalProperties, named != nil || patterns != nil { return nil }
        if keyword == .patternProperties, named != nil { return nil }
        var rule = MemberRules()
        if let named {
            for member in try named.members() {
                rule.named[SchemaName(member.name)] = try index(of: named.child(member))
                rule.names.append(member.name)
            }
        }
        if let patterns {
            for member in try patterns.members() {
                let place = patterns.child(member)
                rule.patterns.append((try place.pattern(member.name), try index(of: place)))
            }
        }
        if let others { rule.others = try index(of: others) }
        return .properties(rule)
    }

    mutating func dependents(_ keyword: SchemaKeyword, _ here: Place) throws(UnsupportedSchema) -> SchemaRule {
        let members = try here.members()
        guard keyword == .dependentSchemas else {
            var names: [(String, [String])] = []
            for member in members { names.append((member.name, try here.child(member).strings())) }
            return .requiredWith(names)
        }
        var schemas: [(String, Int)] = []
        for member in members { schemas.append((member.name, try index(of: here.child(member)))) }
        return .schemaWith(schemas)
    }

    mutating func condition(
        _ keyword: SchemaKeyword,
        _ here: Place,
        in schema: Place
    ) throws(UnsupportedSchema) -> SchemaRule? {
        let own = try index(of: here)
        guard keyword == .if else { return nil }
        var (then, otherwise): (Int?, Int?) = (nil, nil)
        if let place = schema.child(.then) { then = try index(of: place) }
        if let place = schema.child(.else) { otherwise = try index(of: place) }
        return .condition(if: own, then: then, else: otherwise)
    }
}

extension SchemaReader.Place {
    func child(_ keyword: SchemaKeyword) -> Self? {
        value[keyword.rawValue].map { Self(value: $0, pointer: pointer.child(keyword.rawValue)) }
    }

    func child(_ member: JSONValue.Member) -> Self {
        Self(value: member.value, pointer: pointer.child(member.name))
    }

    func members() throws(UnsupportedSchema) -> [JSONValue.Member] {
        guard case .object(let members) = value else { throw UnsupportedSchema(pointer, "must be an object") }
        return members
    }

    func string() throws(UnsupportedSchema) -> String {
        guard case .string(let text) = value else { throw UnsupportedSchema(pointer, "must be a string") }
        return text
    }

    func strings() throws(UnsupportedSchema) -> [String] {
        guard case .array(let items) = value else { throw UnsupportedSchema(pointer, "must be a list of strings") }
        var strings: [String] = []
        for item in items {
            guard case .string(let text) = item else { throw UnsupportedSchema(pointer, "must be a list of strings") }
            strings.append(text)
        }
        return strings
    }

    func count() throws(UnsupportedSchema) -> Int {
        switch value {
        case .integer(let count) where count >= 0: return count
        case .number(let number) where number >= 0 && number.rounded() == number: return Int(exactly: number) ?? .max
        default: throw UnsupportedSchema(pointer, "must be a whole number, 0 or more")
        }
    }

    func types() throws(UnsupportedSchema) -> [SchemaType] {
        var types: [SchemaType] = []
        for name in value.isString ? [try string()] : try strings() {
            guard let type = SchemaType(rawValue: name) else {
                let known = SchemaType.allCases.map(\.rawValue).joined(separator: ", ")
                throw UnsupportedSchema(pointer, "names the type \"\(name)\", which is none of \(known)")
            }
            types.append(type)
        }
        guard !types.isEmpty else { throw UnsupportedSchema(pointer, "names no type") }
        return types
    }

    func pattern(_ source: String) throws(UnsupportedSchema) -> Pattern {
        do {
            return try Pattern(source)
        } catch {
            throw UnsupportedSchema(pointer, error.reason)
        }
    }
}

extension JSONValue {
    fileprivate var isString: Bool {
        if case .string = self { true } else { false }
    }
}
