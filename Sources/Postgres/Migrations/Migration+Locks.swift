/// A statement of a migration that keeps others from writing to a table for as long as it, or the rest of the migration,
/// takes.
public struct MigrationLock: Sendable, Hashable {
    /// The line of the migration it stands on, from 1.
    public let line: Int
    /// What it does, as a sentence.
    public let why: String
    /// Why that is wanted, as its comment says; nil where it says nothing.
    public let excuse: String?
}

extension Migration {
    /// Statements that would lock a table of the database for writes, read from the text alone. In doubt a statement is
    /// one. What locks a table for a moment, such as a new column without a default to compute, is none, unless rows are
    /// changed after it in the same migration: the lock lasts until its end.
    ///
    /// A comment before or in the statement excuses it, where it gives a reason:
    ///
    ///     -- locks: the table has a handful of rows
    ///     create index on author (name);
    public var locks: [MigrationLock] {
        var check = LockCheck()
        return SQLStatement.all(in: sql).compactMap { statement in
            check.why(statement).map {
                MigrationLock(line: statement.line, why: $0, excuse: Self.excuse(in: statement))
            }
        }
    }

    private static func excuse(in statement: SQLStatement) -> String? {
        for comment in statement.comments {
            let words = comment.split(separator: " ")
            if words.first == "locks:", words.count > 1 { return words.dropFirst().joined(separator: " ") }
        }
        return nil
    }
}

/// Reads the statements of one migration in their order.
private struct LockCheck {
    /// Tables of this migration's own: nobody else knows them yet.
    private var made: Set<String> = []
    /// Tables it has locked for what would be a moment, were it not the migration's end that frees them.
    private var held: Set<String> = []

    /// What a statement locks for how long; nil where nobody has to wait.
    mutating func why(_ statement: SQLStatement) -> String? {
        var words = Words(statement.words)
        switch words.next() {
        case "create": return create(&words)
        case "alter": return alter(&words)
        case "drop": return drop(&words)
        case "update": return change("UPDATE", &words, skipping: ["only"])
        case "delete": return change("DELETE", &words, skipping: ["from", "only"])
        case "insert", "with": return words.isChange ? afterLock() : nil
        case "truncate":
            words.skip(["table"])
            words.skip(["only"])
            return unlessMade(words.name()) { "TRUNCATE locks \($0)" }
        case "lock": return "LOCK locks a table until the migration ends."
        case "refresh" where words.rest.contains("concurrently"): return nil
        case "cluster", "reindex", "vacuum", "refresh":
            return "\(statement.words[0].uppercased()) locks what it writes anew until that is done."
        case "select", "values", "table", "comment", "grant", "revoke", "set", "reset", "analyze", "notify", nil:
            return nil
        default: return "What \(statement.words[0].uppercased()) locks cannot be read from it."
        }
    }

    private mutating func create(_ words: inout Words) -> String? {
        let modifiers = ["or", "replace", "temp", "temporary", "unlogged", "unique", "constraint", "materialized"]
        while modifiers.contains(where: { words.skip([$0]) }) {}
        switch words.next() {
        case "table":
            let mayExist = words.skip(["if", "not", "exists"])
            if let name = words.name(), !mayExist { made.insert(name) }
            hold(words.names(after: "references") + words.names(after: "of"))
            return nil
        case "index":
            let table = words.names(after: "on").first
            guard !words.rest.contains("concurrently") else {
                return "CREATE INDEX CONCURRENTLY cannot be part of a migration, which is a transaction."
            }
            return unlessMade(table) { "CREATE INDEX locks \($0) until the index is built." }
        case "trigger":
            hold(Array(words.names(after: "on").prefix(1)))
            return nil
        case "function", "procedure", "aggregate", "view", "type", "domain", "schema", "sequence", "extension", "role",
            "user", "statistics", "collation", "cast", "operator", "policy":
            return nil
        case let kind: return "What CREATE \(kind?.uppercased() ?? "") locks cannot be read from it."
        }
    }

    private mutating func drop(_ words: inout Words) -> String? {
        let kind = words.next()
        switch kind {
        case "table":
            words.skip(["if", "exists"])
            return unlessMade(words.name()) { "DROP TABLE takes \($0) from whoever still uses it." }
        case "index": hold(["the table of an index"])
        case "trigger", "policy", "rule": hold(Array(words.names(after: "on").prefix(1)))
        case "function", "procedure", "aggregate", "view", "type", "domain", "sequence", "statistics", "cast",
            "operator":
            break
        default: return "What DROP \(kind?.uppercased() ?? "") locks cannot be read from it."
        }
        return nil
    }

    private mutating func alter(_ words: inout Words) -> String? {
        let kind = words.next()
        switch kind {
        case "table":
            words.skip(["if", "exists"])
            words.skip(["only"])
            guard let table = words.name() else { return "What ALTER TABLE locks cannot be read from it." }
            guard !made.contains(table) else { return nil }
            words.skip(["*"])
            for action in words.rest.split(separator: ",", atDepth: 0) {
                let action = TableAction(action)
                if let why = action.why { return "ALTER TABLE locks \(table) \(why)." }
                if action.locks { hold([table] + action.references) }
            }
            return nil
        case "function", "procedure", "sequence", "view", "index", "schema", "role", "type", "extension", "policy":
            return nil
        default: return "What ALTER \(kind?.uppercased() ?? "") locks cannot be read from it."
        }
    }

    private func change(_ verb: String, _ words: inout Words, skipping: [String]) -> String? {
        for word in skipping { words.skip([word]) }
        let table = words.name()
        if let table, made.contains(table) { return nil }
        guard words.rest.contains("where") else {
            return "\(verb) without WHERE locks every row of \(table ?? "a table") until the migration ends."
        }
        return afterLock()
    }

    private func afterLock() -> String? {
        guard let table = held.sorted().first else { return nil }
        return "Rows are changed while \(table) is locked by a statement above: put them into a migration of their own."
    }

    private mutating func hold(_ tables: [String]) {
        for table in tables where !made.contains(table) { held.insert(table) }
    }

    private func unlessMade(_ table: String?, _ why: (String) -> String) -> String? {
        guard let table, made.contains(table) else { return why(table ?? "a table") }
        return nil
    }
}
