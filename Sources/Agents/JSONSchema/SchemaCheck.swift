/// One check of one value.
struct SchemaCheck {
    let rules: [[SchemaRule]]
    let limits: SchemaLimits
    private var path: [String] = []
    private var depth = 0
    private(set) var found: [SchemaViolation] = []
    /// What is left of ``SchemaLimits/work``.
    var work: Int
    /// Set when a limit was reached: nothing is known of the value then, however it looks in a `not`.
    var exhausted: SchemaViolation?

    init(rules: [[SchemaRule]], limits: SchemaLimits) {
        self.rules = rules
        self.limits = limits
        self.work = limits.work
    }

    mutating func violations(of value: JSONValue) -> [SchemaViolation] {
        apply(0, to: value)
        return exhausted.map { [$0] } ?? found
    }

    /// Puts the schema `index` to `value`, which stands at the current path.
    mutating func apply(_ index: Int, to value: JSONValue) {
        guard depth < limits.depth else { return giveUp("is nested too deeply to be checked") }
        depth += 1
        for rule in rules[index] {
            guard spend(1), found.count < limits.violations else { break }
            apply(rule, to: value)
        }
        depth -= 1
    }

    /// The same for a part of the current value.
    mutating func apply(_ index: Int, to value: JSONValue, at name: String) {
        path.append(name)
        apply(index, to: value)
        path.removeLast()
    }

    /// What `index` has against `value`, without its being held against the whole.
    mutating func trial(_ index: Int, of value: JSONValue) -> [SchemaViolation] {
        let before = found
        found = []
        apply(index, to: value)
        defer { found = before }
        return found
    }

    mutating func holds(_ index: Int, for value: JSONValue) -> Bool {
        trial(index, of: value).isEmpty
    }

    /// Holds something against the current value, or its part `name`.
    mutating func violate(_ reason: String, at name: String? = nil) {
        guard found.count < limits.violations else { return }
        found.append(SchemaViolation(path: name.map(pointer.child) ?? pointer, reason: reason))
    }

    mutating func add(_ violations: [SchemaViolation]) {
        found += violations.prefix(limits.violations - found.count)
    }

    /// False when there is not so much left.
    mutating func spend(_ steps: Int) -> Bool {
        work -= steps
        guard work >= 0 else {
            giveUp("takes too long to check against the schema")
            return false
        }
        return exhausted == nil
    }

    private mutating func giveUp(_ reason: String) {
        if exhausted == nil { exhausted = SchemaViolation(path: pointer, reason: reason) }
    }

    private var pointer: String { path.reduce("") { $0.child($1) } }

    private mutating func apply(_ rule: SchemaRule, to value: JSONValue) {
        switch rule {
        case .never: violate("is not allowed here")
        case .types(let types):
            guard !types.contains(where: { $0.holds(value) }) else { return }
            violate("must be \(types.map(\.phrase).joined(separator: " or ")), not \(value.phrase)")
        case .oneOfValues(let values): check(value, isOneOf: values)
        case .bound, .multipleOf: check(number: value, rule)
        case .length, .pattern, .format: check(text: value, rule)
        case .itemCount, .items, .contains, .uniqueItems: check(array: value, rule)
        case .propertyCount, .required, .requiredWith, .properties, .propertyNames, .schemaWith:
            check(object: value, rule)
        case .reference, .all, .any, .exactlyOne, .not, .condition: check(value, combination: rule)
        }
    }
}

extension SchemaCheck {
    private mutating func check(_ value: JSONValue, isOneOf values: [CanonicalJSON]) {
        let canonical = CanonicalJSON(value)
        guard spend(canonical.size / 16 + values.count), !values.contains(canonical) else { return }
        // A model that has to choose needs to see the choice, but not a thousand of it.
        let shown = values.prefix(20).map(\.text.shortened).joined(separator: ", ")
        let more = values.count > 20 ? " and \(values.count - 20) more" : ""
        let choice = values.count == 1 ? shown : "one of \(shown)\(more)"
        violate("must be \(values.isEmpty ? "one of no values" : choice), not \(value.phrase)")
    }

    private mutating func check(number value: JSONValue, _ rule: SchemaRule) {
        guard let number = SchemaNumber(value) else { return }
        switch rule {
        case .bound(let bound) where !bound.holds(number): violate("must be \(bound.phrase), not \(number)")
        case .multipleOf(let divisor) where !number.isMultiple(of: divisor):
            violate("must be a multiple of \(divisor), not \(number)")
        default: break
        }
    }

    private mutating func check(text value: JSONValue, _ rule: SchemaRule) {
        guard case .string(let text) = value else { return }
        switch rule {
        case .length(let least, let most):
            guard spend(text.utf8.count / 16) else { return }
            checkCount(text.unicodeScalars.count, of: "character", least: least, most: most)
        case .pattern(let pattern):
            switch pattern.isFound(in: text, work: &work) {
            case false: violate("must match the pattern \(pattern.source), unlike \(value.phrase)")
            case true: break
            case nil: _ = spend(0)
            }
        case .format(let format):
            guard spend(text.utf8.count / 16), !format.holds(text) else { return }
            violate("must be \(format.phrase), not \(value.phrase)")
        default: break
        }
    }

    mutating func checkCount(_ count: Int, of noun: String, least: Int, most: Int) {
        func phrase(_ limit: Int) -> String { "\(limit) \(limit == 1 ? noun : noun.plural)" }
        if count < least { violate("must have at least \(phrase(least)), not \(count)") }
        if count > most { violate("must have at most \(phrase(most)), not \(count)") }
    }
}

extension JSONValue {
    /// What it is, for a sentence: `the string "ten"`, `an array`.
    var phrase: String {
        switch self {
        case .string: "the string \(text.shortened)"
        case .integer, .number: "the number \(CanonicalJSON(self).text)"
        case .bool, .null: text
        case .array(let items): items.isEmpty ? "an empty array" : "an array"
        case .object(let members): members.isEmpty ? "an empty object" : "an object"
        }
    }
}

extension String {
    /// Cut to what a sentence bears.
    var shortened: String { utf8.count <= 80 ? self : String(unicodeScalars.prefix(60)) + "…" }

    fileprivate var plural: String { self == "property" ? "properties" : self + "s" }
}
