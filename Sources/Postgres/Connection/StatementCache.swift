/// The statements this connection has prepared.
struct StatementCache {
    /// Each costs memory in its backend, a plan and a parse tree. A catalogue of statements is smaller; SQL that varies
    /// beyond this runs unprepared instead of pushing the catalogue out.
    static let limit = 256

    private var names: [Key: String] = [:]
    private var taken: Set<String> = []

    var count: Int { names.count }

    /// How a statement is to be run.
    enum Plan: Equatable {
        case prepared(String)
        case prepareFirst(String)
        case unprepared
    }

    /// Two callers may give the same SQL parameters of different types; those are two statements.
    private struct Key: Hashable {
        let sql: String
        let types: [UInt32]

        init(_ query: Query) {
            sql = query.sql
            types = query.parameters.types
        }
    }

    /// How to run a statement without preparing it: with a sync of its own behind it, a preparation that failed would
    /// not keep the next one of the same text from relying on it.
    func planWithoutPreparing(_ query: Query) -> Plan {
        names[Key(query)].map { .prepared($0) } ?? .unprepared
    }

    /// Decides, and remembers a statement that is to be prepared: the next one in the same pipeline may rely on it,
    /// since it is not run when preparing fails.
    mutating func plan(_ query: Query) -> Plan {
        let key = Key(query)
        if let name = names[key] { return .prepared(name) }
        let name = Self.name(of: query)
        guard names.count < Self.limit, !taken.contains(name) else { return .unprepared }
        names[key] = name
        taken.insert(name)
        return .prepareFirst(name)
    }

    /// Forgets a statement whose preparation failed or was never run.
    mutating func remove(_ query: Query) {
        guard let name = names.removeValue(forKey: Key(query)) else { return }
        taken.remove(name)
    }

    mutating func removeAll() {
        names.removeAll()
        taken.removeAll()
    }

    /// The same for the same statement in every process, so that it can be found in the server's views: FNV-1a over the
    /// SQL and the types. Two statements of one name are kept apart above.
    static func name(of query: Query) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func mix(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        for byte in query.sql.utf8 { mix(byte) }
        for type in query.parameters.types { withUnsafeBytes(of: type.littleEndian) { $0.forEach(mix) } }
        return "octavo_" + String(hash, radix: 16)
    }
}
