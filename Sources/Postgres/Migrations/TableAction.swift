/// One action of an ALTER TABLE: whether it is done in a moment, or reads or writes every row while the table is locked
/// (PostgreSQL manual, ALTER TABLE and 13.3.1).
struct TableAction {
    /// How long it locks the table and why; nil where that is a moment.
    let why: String?
    /// Whether it locks it for writes at all.
    let locks: Bool
    /// Other tables it locks for a moment.
    let references: [String]

    init(_ action: [String]) {
        var words = Words(action)
        references = words.names(after: "references")
        locks = words.rest.first != "validate"
        why = Self.why(&words)
    }

    private static func why(_ words: inout Words) -> String? {
        switch words.next() {
        case "validate", "rename", "owner", "drop", "enable", "disable", "force", "no", "replica", "reset", "inherit":
            return nil
        case "cluster" where words.rest.first == "on": return nil
        case "set":
            let isSetting = ["(", "schema", "without"].contains(words.rest.first)
            return isSetting ? nil : "until it is written anew"
        case "add": return add(&words)
        case "alter": return column(&words)
        default: return "for as long as nobody knows"
        }
    }

    private static func add(_ words: inout Words) -> String? {
        switch words.rest.first {
        case "constraint", "primary", "unique", "check", "foreign", "exclude":
            if words.rest.suffix(2) == ["not", "valid"] || words.rest.contains("using") && words.rest.contains("index")
            {
                return nil
            }
            return "until every row was checked: add it NOT VALID, and VALIDATE it in a later migration"
        default: break
        }
        words.skip(["column"])
        words.skip(["if", "not", "exists"])
        _ = words.name()
        let checked = ["primary", "unique", "references", "check"]
        if words.rest.contains(where: checked.contains) {
            return "until every row was checked: add the column first, and the constraint NOT VALID"
        }
        if words.rest.contains(where: { $0 == "generated" || $0.hasSuffix("serial") }) || hasComputedDefault(words.rest)
        {
            return "until it is written anew: add the column without it, and fill it in pieces"
        }
        return nil
    }

    /// Whether the default is anything but a constant, or a time that is the same for all rows.
    private static func hasComputedDefault(_ words: [String]) -> Bool {
        guard let place = words.firstIndex(of: "default"), place + 1 < words.count else { return false }
        var value = Words(Array(words[(place + 1)...]))
        value.skip(["-"])
        let first = value.next() ?? ""
        let isTime = first == "current_timestamp" || (first == "now" && value.skip(["(", ")"]))
        let isNumber = first.utf8.first.map { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? false
        guard isTime || isNumber || ["'", "true", "false", "null"].contains(first) else { return true }
        // A type may follow, or what else a column has; an operator makes it an expression.
        return value.rest.contains { ["+", "-", "*", "/", "|", "("].contains($0) }
    }

    private static func column(_ words: inout Words) -> String? {
        words.skip(["column"])
        _ = words.name()
        switch Array(words.rest.prefix(2)) {
        case ["set", "default"], ["set", "statistics"], ["set", "storage"], ["set", "compression"], ["set", "("]:
            return nil
        case ["set", "not"]:
            return "until every row was checked: add a CHECK NOT VALID, and VALIDATE it in a later migration"
        case let change where change.first == "drop" || change.first == "reset": return nil
        default: return "until it is written anew"
        }
    }
}

/// Words of a statement, read from the front.
struct Words {
    private(set) var rest: [String]

    init(_ words: [String]) {
        rest = words
    }

    mutating func next() -> String? {
        rest.isEmpty ? nil : rest.removeFirst()
    }

    /// Passes over words that stand next.
    @discardableResult
    mutating func skip(_ words: [String]) -> Bool {
        guard rest.starts(with: words) else { return false }
        rest.removeFirst(words.count)
        return true
    }

    /// A name, without the schema that everything is in.
    mutating func name() -> String? {
        guard var name = next() else { return nil }
        while skip(["."]), let part = next() { name = name == "public" ? part : "\(name).\(part)" }
        return name
    }

    /// The names that stand behind each of a word.
    func names(after word: String) -> [String] {
        rest.indices.filter { rest[$0] == word }.compactMap { place in
            var words = Words(Array(rest[(place + 1)...]))
            words.skip(["only"])
            return words.name()
        }
    }

    /// Whether rows are written.
    var isChange: Bool { rest.contains { ["into", "update", "delete"].contains($0) } }
}

extension [String] {
    /// The parts between marks that stand in this many parentheses.
    func split(separator: String, atDepth wanted: Int) -> [[String]] {
        var parts: [[String]] = [[]]
        var depth = 0
        for word in self {
            if word == "(" { depth += 1 }
            if word == ")" { depth -= 1 }
            if word == separator, depth == wanted { parts.append([]) } else { parts[parts.count - 1].append(word) }
        }
        return parts
    }
}
