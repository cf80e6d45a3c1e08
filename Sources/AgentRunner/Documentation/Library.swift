import Agents
import Contract
import RPC
import Wire

/// The documentation as a run sees it: searching and reading, by itself and as the model's tools.
struct Library: Sendable {
    /// What the model gets of a section at once.
    private static let toolCharacters = 4_000
    /// Sections a model's search finds; all of them fit into what one section may take.
    private static let toolHits = 4
    /// How long storage may be away, restarting for example, before the run fails for it.
    private static let patience = Duration.seconds(8)

    let storage: RPCClient
    /// The trace of whoever asked.
    let trace: TraceParent
    let emit: @Sendable (RunEvent.Body) throws -> Void

    /// Searches, and reads what was found.
    func search(_ query: String, limit: Int) async throws -> Passages {
        let search = SearchSections(query: Self.shortened(query), limit: limit)
        let found = try await asking(search)
        try emit(.search(query: search.query, hits: found.hits.count))
        guard !found.hits.isEmpty else { return Passages() }
        let read = try await asking(GetSections(sections: found.hits.map(\.id)))
        let scores = Dictionary(found.hits.map { ($0.id, $0.score) }, uniquingKeysWith: max)
        var passages = Passages()
        for section in read.sections {
            passages.add(section, score: scores[section.id] ?? 0)
        }
        return passages
    }

    /// Several searches at the same time, in their order.
    func search(_ queries: [String], limit: Int) async throws -> [Passages] {
        struct Found {
            var index: Int
            var passages: Passages
        }
        return try await withThrowingTaskGroup(of: Found.self) { group in
            for (index, query) in queries.enumerated() {
                group.addTask { Found(index: index, passages: try await search(query, limit: limit)) }
            }
            var found = queries.map { _ in Passages() }
            for try await one in group { found[one.index] = one.passages }
            return found
        }
    }

    /// Reading may be repeated as often as needed.
    func asking<O: Operation>(_ operation: O) async throws -> O.Result {
        try await Patience.repeating(for: Self.patience) { try await storage.perform(operation, traceparent: trace) }
    }

    /// A pasted page says its subject where it begins and asks where it ends. Storage takes no more than these 1,000
    /// characters, counted as Unicode scalars.
    private static func shortened(_ query: String) -> String {
        let scalars = query.unicodeScalars
        guard scalars.count > 1_000 else { return query }
        return String(scalars.prefix(600)) + " " + String(scalars.suffix(399))
    }

    /// `search` and `read` for a model; `onRead` is told of the sections it gets.
    func tools(onRead: @escaping @Sendable ([Section]) -> Void) throws(AgentError) -> [Tool] {
        struct Search: Decodable { var query: String }
        struct Read: Decodable { var section: Int }
        return [
            try Tool("search", "Finds sections of the documentation. Give it a few telling words.", mayRepeat: true) {
                (search: Search) in
                guard search.query.contains(where: { !$0.isWhitespace }) else {
                    throw ToolError("Say what to search for.")
                }
                let found = try await self.search(search.query, limit: Self.toolHits).all.map(\.section)
                onRead(found)
                guard !found.isEmpty else { return "Nothing was found. Try other words." }
                return found.map { Prompt.section($0, characters: Self.toolCharacters / Self.toolHits) }.joined(
                    separator: "\n\n"
                )
            },
            try Tool("read", "The whole text of a section, by its number.", mayRepeat: true) { (read: Read) in
                let found = try await asking(GetSections(sections: [read.section])).sections
                guard let section = found.first else { throw ToolError("There is no section \(read.section).") }
                onRead([section])
                return Prompt.section(section, characters: Self.toolCharacters)
            },
        ]
    }
}
