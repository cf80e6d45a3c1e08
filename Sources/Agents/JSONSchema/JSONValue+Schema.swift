extension JSONValue {
    /// A value without the members that are `null` where its schema has no `null` and does not ask for them: models write
    /// `null` for what they leave out.
    func withoutNulls(for schema: JSONValue) -> JSONValue {
        switch self {
        case .array(let values):
            guard let items = schema["items"] else { return self }
            return .array(values.map { $0.withoutNulls(for: items) })
        case .object(let members):
            let required = schema["required"].map { Set($0.strings) } ?? []
            return .object(
                members.compactMap { member in
                    guard let property = schema["properties"]?[member.name] ?? schema["additionalProperties"] else {
                        return member
                    }
                    if member.value == .null, !required.contains(member.name), !property.allowsNull { return nil }
                    return Member(member.name, member.value.withoutNulls(for: property))
                }
            )
        default: return self
        }
    }

    /// The schema as providers want it that hold a model to it: every property is required, and one that need not be there may
    /// be `null` instead.
    var strict: JSONValue {
        switch self {
        case .array(let values): return .array(values.map(\.strict))
        case .object(let members):
            guard case .object(let properties)? = self["properties"], self["type"] == "object" else {
                return .object(members.map { Member($0.name, $0.value.strict) })
            }
            let required = Set(self["required"]?.strings ?? [])
            let all = properties.map { property in
                Member(
                    property.name,
                    required.contains(property.name) || property.value.allowsNull
                        ? property.value.strict : ["anyOf": [property.value.strict, ["type": "null"]]]
                )
            }
            let names = JSONValue.array(properties.map { .string($0.name) })
            return .object(
                members.filter { !["properties", "required"].contains($0.name) }
                    + [Member("properties", .object(all)), Member("required", names)]
            )
        default: return self
        }
    }

    /// The schema without these keywords. A property of such a name stays, for what it holds is a schema.
    func without(_ keywords: Set<String>) -> JSONValue {
        switch self {
        case .array(let values): return .array(values.map { $0.without(keywords) })
        case .object(let members):
            return .object(
                members.compactMap { member in
                    let isSchema = if case .object = member.value { true } else { false }
                    guard isSchema || !keywords.contains(member.name) else { return nil }
                    return Member(member.name, member.value.without(keywords))
                }
            )
        default: return self
        }
    }

    /// Whether a provider can hold a model to this: no object in it is open.
    var isStrict: Bool {
        switch self {
        case .array(let values): return values.allSatisfy(\.isStrict)
        case .object(let members):
            if self["type"] == "object" {
                guard self["additionalProperties"] == false, case .object(let properties)? = self["properties"],
                    Set(self["required"]?.strings ?? []) == Set(properties.map(\.name))
                else { return false }
            }
            return members.allSatisfy { $0.value.isStrict }
        default: return true
        }
    }

    private var strings: [String] {
        guard case .array(let values) = self else { return [] }
        return values.compactMap { if case .string(let text) = $0 { text } else { nil } }
    }

    /// Only a schema that says so plainly; in doubt a `null` is kept, and judged.
    private var allowsNull: Bool {
        guard case .object(let members) = self else { return true }
        if let type = self["type"] { return type == "null" || type.strings.contains("null") }
        return members.isEmpty || self["anyOf"] != nil || self["oneOf"] != nil || self["enum"] != nil
            || self["const"] != nil
            || self["$ref"] != nil
    }
}
