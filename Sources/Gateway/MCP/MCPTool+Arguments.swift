import Contract
import Wire

extension MCPTool {
    /// Refuses arguments that are not as `input` has them, with the one that is wrong and what it may be, for whoever has to mend it.
    /// Of JSON Schema that is as much as the tools here use. One that is null counts as left out, and so does one that there is not, since
    /// some clients add their own to every call; where another is missing, it is taken for that one, misspelt.
    func check(_ arguments: JSON) throws(ServiceError) {
        guard let given = arguments.members else { throw .invalidArgument("\"arguments\" has to be an object.") }
        let known = input.member("properties")?.members ?? []
        for (name, value) in given {
            guard let schema = known.first(where: { $0.key == name })?.value else { continue }
            guard value == .null || Self.allows(value, schema) else {
                throw .invalidArgument(
                    "\"\(name)\" has to be \(Self.words(schema)), not \(value.description.prefix(40))."
                )
            }
        }
        for name in (input.member("required")?.elements ?? []).compactMap(\.string) {
            guard !given.contains(where: { $0.key == name && $0.value != .null }) else { continue }
            if let unknown = given.first(where: { other in !known.contains { $0.key == other.key } }) {
                throw .invalidArgument(
                    "There is no argument \"\(unknown.key.prefix(40))\": \(self.name) takes \(Self.names(known))."
                )
            }
            let words = known.first { $0.key == name }.map { Self.words($0.value) } ?? "given"
            throw .invalidArgument("\"\(name)\" is missing: it has to be \(words).")
        }
    }

    private static func allows(_ value: JSON, _ schema: JSON) -> Bool {
        guard schema.member("type")?.string == "integer" else { return value.string != nil }
        guard let number = value.wholeNumber else { return false }
        return number >= schema.member("minimum")?.integer ?? .min
            && number <= schema.member("maximum")?.integer ?? .max
    }

    private static func words(_ schema: JSON) -> String {
        guard schema.member("type")?.string == "integer" else { return "a string" }
        let least = schema.member("minimum")?.integer.map { " from \($0)" } ?? ""
        let most = schema.member("maximum")?.integer.map { " to \($0)" } ?? ""
        return "a whole number\(least)\(most)"
    }

    private static func names(_ known: [(key: String, value: JSON)]) -> String {
        known.isEmpty ? "none" : known.map { "\"\($0.key)\"" }.joined(separator: " and ")
    }
}

extension JSON {
    /// A number without a fraction, however it is written: to JSON Schema 5.0 is an integer, and clients that hold all numbers as floating
    /// point write it so.
    var wholeNumber: Int? {
        if let integer { return integer }
        // All below are exact.
        guard let number = Double(description), number == number.rounded(), abs(number) < 9e15 else { return nil }
        return Int(number)
    }
}
