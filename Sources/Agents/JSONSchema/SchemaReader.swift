/// Reads a schema into rules, one list for each schema within it, the whole schema's first.
///
/// Not recursive: what is found is queued, so that nesting costs no stack. A schema met again, through a reference, is
/// the same list.
struct SchemaReader {
    struct Place {
        var value: JSONValue
        var pointer: String
    }

    /// A reference to an anchor that may not have been come by yet.
    struct AnchorReference {
        var schema: Int
        var rule: Int
        var name: String
        var pointer: String
    }

    let root: JSONValue
    let limits: SchemaLimits
    private var indices: [String: Int] = [:]
    private var queue: [Place] = []
    private(set) var rules: [[SchemaRule]] = []
    var anchors: [String: Int] = [:]
    var anchorReferences: [AnchorReference] = []

    private init(root: JSONValue, limits: SchemaLimits) {
        self.root = root
        self.limits = limits
    }

    static func read(_ schema: JSONValue, limits: SchemaLimits) throws(UnsupportedSchema) -> [[SchemaRule]] {
        var reader = SchemaReader(root: schema, limits: limits)
        _ = try reader.index(of: Place(value: schema, pointer: ""))
        var next = 0
        while next < reader.queue.count {
            reader.rules[next] = try reader.rules(of: reader.queue[next], index: next)
            next += 1
        }
        try reader.resolveAnchors()
        try SchemaCircle.refuse(in: reader.rules, pointers: reader.queue.map(\.pointer), deepest: limits.depth / 4)
        return reader.rules
    }

    /// The index of the schema at `place`, which is read later.
    mutating func index(of place: Place) throws(UnsupportedSchema) -> Int {
        if let index = indices[place.pointer] { return index }
        switch place.value {
        case .bool, .object: break
        default: throw UnsupportedSchema(place.pointer, "must be a schema: an object, true or false")
        }
        guard queue.count < limits.schemas else {
            throw UnsupportedSchema(place.pointer, "is one schema too many; there may be \(limits.schemas)")
        }
        let index = queue.count
        indices[place.pointer] = index
        queue.append(place)
        rules.append([])
        return index
    }

    private mutating func rules(of place: Place, index: Int) throws(UnsupportedSchema) -> [SchemaRule] {
        guard case .object(let members) = place.value else { return place.value == true ? [] : [.never] }
        var seen: Set<SchemaName> = []
        for member in members where !seen.insert(SchemaName(member.name)).inserted {
            throw UnsupportedSchema(place.pointer.child(member.name), "stands there twice")
        }
        var rules: [SchemaRule] = []
        for member in members {
            let pointer = place.pointer.child(member.name)
            guard let keyword = SchemaKeyword(rawValue: member.name) else {
                if member.name.hasPrefix("x-") { continue }
                throw UnsupportedSchema(pointer, "is not supported, or not a keyword of JSON Schema 2020-12")
            }
            let here = Place(value: member.value, pointer: pointer)
            let found = try rule(of: keyword, here, in: place, schema: index, ruleIndex: rules.count)
            if let found { rules.append(found) }
        }
        return rules
    }

    private mutating func resolveAnchors() throws(UnsupportedSchema) {
        for reference in anchorReferences {
            guard let target = anchors[reference.name] else {
                throw UnsupportedSchema(
                    reference.pointer,
                    "refers to the anchor \"\(reference.name)\", which is not there"
                )
            }
            rules[reference.schema][reference.rule] = .reference(target)
        }
    }
}

/// Finds schemas that ask themselves about the same value: checking by them would never end.
private struct SchemaCircle {
    let rules: [[SchemaRule]]
    let pointers: [String]
    let deepest: Int
    /// How many schemas in one another begin here; nought while they are being counted.
    private var heights: [Int: Int] = [:]

    static func refuse(in rules: [[SchemaRule]], pointers: [String], deepest: Int) throws(UnsupportedSchema) {
        var circle = SchemaCircle(rules: rules, pointers: pointers, deepest: deepest)
        for index in rules.indices { _ = try circle.height(of: index, depth: 1) }
    }

    private init(rules: [[SchemaRule]], pointers: [String], deepest: Int) {
        self.rules = rules
        self.pointers = pointers
        self.deepest = deepest
    }

    private mutating func height(of index: Int, depth: Int) throws(UnsupportedSchema) -> Int {
        if let height = heights[index] {
            guard height > 0 else {
                throw UnsupportedSchema(pointers[index], "refers to itself for the same value, which never ends")
            }
            return height
        }
        heights[index] = 0
        var height = 1
        for inner in rules[index].flatMap(\.inPlace) {
            guard depth < deepest else { throw tooDeep(index) }
            height = max(height, try self.height(of: inner, depth: depth + 1) + 1)
        }
        guard height <= deepest else { throw tooDeep(index) }
        heights[index] = height
        return height
    }

    private func tooDeep(_ index: Int) -> UnsupportedSchema {
        UnsupportedSchema(pointers[index], "puts more than \(deepest) schemas in one another to the same value")
    }
}
