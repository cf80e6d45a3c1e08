extension SchemaCheck {
    mutating func check(array value: JSONValue, _ rule: SchemaRule) {
        guard case .array(let items) = value else { return }
        switch rule {
        case .itemCount(let least, let most): checkCount(items.count, of: "item", least: least, most: most)
        case .items(let first, let rest):
            for (index, item) in items.enumerated() {
                guard let schema = index < first.count ? first[index] : rest, spend(1) else { return }
                apply(schema, to: item, at: "\(index)")
            }
        case .contains(let schema, let least, let most):
            var count = 0
            for item in items where count <= most && holds(schema, for: item) { count += 1 }
            if count < least { violate("must have at least \(least) of the items its schema asks for, not \(count)") }
            if count > most { violate("must have at most \(most) of the items its schema asks for") }
        case .uniqueItems: checkUnique(items)
        default: break
        }
    }

    private mutating func checkUnique(_ items: [JSONValue]) {
        var seen: [CanonicalJSON: Int] = [:]
        for (index, item) in items.enumerated() {
            let canonical = CanonicalJSON(item)
            guard spend(canonical.size / 16 + 1) else { return }
            if let first = seen.updateValue(index, forKey: canonical) {
                return violate("must have no two equal items; items \(first) and \(index) are equal")
            }
        }
    }

    mutating func check(object value: JSONValue, _ rule: SchemaRule) {
        guard case .object(let members) = value else { return }
        switch rule {
        case .propertyCount(let least, let most):
            checkCount(members.count, of: "property", least: least, most: most)
        case .required(let names): require(names, in: members) { "" }
        case .requiredWith(let dependents):
            for (name, names) in dependents where members.contains(name) {
                require(names, in: members) { ", since it has \"\(name)\"" }
            }
        case .schemaWith(let dependents):
            for (name, schema) in dependents where members.contains(name) { apply(schema, to: value) }
        case .properties(let rule): check(members, by: rule)
        case .propertyNames(let schema):
            for member in members {
                let violations = trial(schema, of: .string(member.name))
                guard let first = violations.first else { continue }
                violate("has the property \"\(member.name.shortened)\", whose name \(first.reason)")
            }
        default: break
        }
    }

    private mutating func require(_ names: [String], in members: [JSONValue.Member], because: () -> String) {
        guard spend(names.count) else { return }
        let present = Set(members.map { SchemaName($0.name) })
        for name in names where !present.contains(SchemaName(name)) {
            violate("must have the property \"\(name)\"\(because())")
        }
    }

    private mutating func check(_ members: [JSONValue.Member], by rule: MemberRules) {
        for member in members {
            guard spend(1) else { return }
            var isKnown = false
            if let schema = rule.named[SchemaName(member.name)] {
                isKnown = true
                apply(schema, to: member.value, at: member.name)
            }
            for (pattern, schema) in rule.patterns {
                guard let isFound = pattern.isFound(in: member.name, work: &work) else {
                    _ = spend(0)
                    return
                }
                guard isFound else { continue }
                isKnown = true
                apply(schema, to: member.value, at: member.name)
            }
            guard !isKnown, let others = rule.others else { continue }
            if case .never? = rules[others].first {
                violateUnknown(member.name, rule)
            } else {
                apply(others, to: member.value, at: member.name)
            }
        }
    }

    private mutating func violateUnknown(_ name: String, _ rule: MemberRules) {
        let known = rule.names.prefix(20).map { "\"\($0)\"" }.joined(separator: ", ")
        let allowed = known.isEmpty ? "" : "; allowed are \(known)\(rule.names.count > 20 ? " and more" : "")"
        violate("is not a property that is allowed here\(allowed)", at: name)
    }
}

extension SchemaCheck {
    mutating func check(_ value: JSONValue, combination rule: SchemaRule) {
        switch rule {
        case .reference(let schema): apply(schema, to: value)
        case .all(let schemas): for schema in schemas { apply(schema, to: value) }
        case .any(let schemas): checkAny(value, schemas)
        case .exactlyOne(let schemas): checkOne(value, schemas)
        case .not(let schema):
            if holds(schema, for: value) { violate("is what it must not be: \(value.phrase)") }
        case .condition(let test, let then, let otherwise):
            guard let schema = holds(test, for: value) ? then : otherwise else { return }
            apply(schema, to: value)
        default: break
        }
    }

    private mutating func checkAny(_ value: JSONValue, _ schemas: [Int]) {
        var trials: [[SchemaViolation]] = []
        for schema in schemas {
            let violations = trial(schema, of: value)
            if violations.isEmpty { return }
            trials.append(violations)
        }
        tellNearest(trials)
    }

    private mutating func checkOne(_ value: JSONValue, _ schemas: [Int]) {
        var trials: [[SchemaViolation]] = []
        var fitting: [Int] = []
        for (number, schema) in schemas.enumerated() {
            let violations = trial(schema, of: value)
            if violations.isEmpty { fitting.append(number + 1) } else { trials.append(violations) }
        }
        if fitting.isEmpty { tellNearest(trials) }
        guard fitting.count > 1 else { return }
        let numbers = fitting.map(String.init).joined(separator: " and ")
        violate("must fit exactly one of \(schemas.count) forms, but fits \(numbers)")
    }

    /// A value that fits no form was meant to be one of them: most likely the one in which the trouble lies deepest.
    private mutating func tellNearest(_ trials: [[SchemaViolation]]) {
        let nearest = trials.indices.min { left, right in
            let (left, right) = (trials[left], trials[right])
            let (leftDepth, rightDepth) = (left.shallowest, right.shallowest)
            return leftDepth == rightDepth ? left.count < right.count : leftDepth > rightDepth
        }
        guard let nearest else { return }
        if trials.count > 1 { violate("must fit one of \(trials.count) forms; the nearest is form \(nearest + 1)") }
        add(trials[nearest])
    }
}

extension [SchemaViolation] {
    /// How deep the violation lies that lies least deep.
    fileprivate var shallowest: Int {
        map { violation in violation.path.utf8.count { $0 == UInt8(ascii: "/") } }.min() ?? 0
    }
}

extension [JSONValue.Member] {
    fileprivate func contains(_ name: String) -> Bool {
        contains { $0.name.utf8.elementsEqual(name.utf8) }
    }
}
