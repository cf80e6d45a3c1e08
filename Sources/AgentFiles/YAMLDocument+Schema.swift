import Agents

extension YAMLDocument {
    /// What a schema has against the file, in the words of whoever writes one. `whole` is what it is called.
    func problems(against schema: JSONValue, as whole: String) -> [AgentFileProblem] {
        guard case .object = value else {
            return [problem(at: "", "\(whole) is written as names with their values, not as \(value.kind)")]
        }
        do {
            return try SchemaValidator(schema).validate(value).map { problem($0, in: schema, whole) }
        } catch {
            return [AgentFileProblem(file: file, message: "\(error)")]
        }
    }

    private func problem(_ violation: SchemaViolation, in schema: JSONValue, _ whole: String) -> AgentFileProblem {
        let path = violation.path
        if violation.reason.hasPrefix("is not a property"), let slash = path.lastIndex(of: "/") {
            let names = schema.schema(of: path[..<slash])?["properties"]?.members?.map(\.name) ?? []
            return problem(at: path, Spelling.unknown(Self.name(path[slash...].dropFirst()), among: names))
        }
        if violation.reason.hasPrefix("must match the pattern"), case .string(let written)? = value.part(at: path),
            let pattern = schema.schema(of: path)?["pattern"]?.string,
            let reason = AgentFileSchema.reason(written, against: pattern)
        {
            return problem(at: path, reason)
        }
        if let pattern = schema.schema(of: path)?["propertyNames"]?["pattern"]?.string,
            let name = value.part(at: path)?.members?.first(where: {
                violation.reason.hasPrefix("has the property \"\($0.name)\", whose name must match")
            })?.name, let reason = AgentFileSchema.reason(name, against: pattern)
        {
            return problem(at: path + "/" + name.replacing("~", with: "~0").replacing("/", with: "~1"), reason)
        }
        let reason = reason(of: violation)
        return problem(at: path, path.isEmpty ? "\(whole) \(reason)" : reason)
    }

    /// Objects and arrays are what programs call them.
    private func reason(of violation: SchemaViolation) -> String {
        guard let kind = value.part(at: violation.path)?.kind else { return violation.reason }
        if violation.reason.hasPrefix("must be an object, not") {
            return "must be names with their values, not \(kind)"
        }
        if violation.reason.hasPrefix("must be an array, not") { return "must be a list, not \(kind)" }
        return violation.reason
    }

    private static func name(_ part: Substring) -> String {
        String(part).replacing("~1", with: "/").replacing("~0", with: "~")
    }
}

extension JSONValue {
    /// In words.
    fileprivate var kind: String {
        switch self {
        case .object: "names"
        case .array: "a list"
        case .string: "a text"
        case .integer, .number: "a number"
        case .bool, .null: text
        }
    }

    /// Of a value, what stands at a JSON Pointer.
    fileprivate func part(at pointer: String) -> JSONValue? {
        pointer.split(separator: "/").reduce(self as JSONValue?) { value, part in
            switch value {
            case .object: value?[String(part).replacing("~1", with: "/").replacing("~0", with: "~")]
            case .array(let items): Int(part).flatMap { items.indices.contains($0) ? items[$0] : nil }
            default: nil
            }
        }
    }

    /// Of a schema, the one of what stands at a JSON Pointer in the value.
    fileprivate func schema(of pointer: some StringProtocol) -> JSONValue? {
        var found = resolved(in: self)
        for name in pointer.split(separator: "/") {
            let member = found["properties"]?[String(name).replacing("~1", with: "/")]
            guard let next = member ?? found["items"] ?? found["additionalProperties"] else { return nil }
            found = next.resolved(in: self)
        }
        return found
    }

    private func resolved(in root: JSONValue) -> JSONValue {
        guard let name = self["$ref"]?.string?.split(separator: "/").last else { return self }
        return root["$defs"]?[String(name)] ?? self
    }
}
