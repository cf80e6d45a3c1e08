import Agents
import Contract
import RPC
import Wire

/// The documentation as a run sees it: searching and reading, by itself and as the model's tools.
struct Library: Sendable {
    /// What the model gets of a section at once.
    private static let toolCharacters = 4_000

    let storage: RPCClient
    let emit: @Sendable (RunEvent.Body) throws -> Void

    /// Searches, and reads what was found.
    func search(_ query: String, limit: Int) async throws -> Passages {
        // The longest query there is; a long question says its subject early.
        let search = SearchSections(query: String(query.prefix(1_000)), limit: limit)
        let found = try await storage.perform(search)
        try emit(.search(query: search.query, hits: found.hits.count))
        guard !found.hits.isEmpty else { return Passages() }
        let read = try await storage.perform(GetSections(sections: found.hits.map(\.id)))
        let coverage = Dictionary(found.hits.map { ($0.id, $0.coverage) }, uniquingKeysWith: max)
        var passages = Passages()
        for section in read.sections { passages.add(section, coverage: coverage[section.id] ?? 0) }
        return passages
    }

    /// `search` and `read` for a model; what they read may be cited.
    func tools(reading reply: Reply) throws -> [Tool] {
        struct Search: Decodable { var query: String }
        struct Read: Decodable { var section: Int }
        return [
            try Tool("search", "Finds sections of the documentation. Give it a few telling words.") { (search: Search) in
                let found = try await self.search(search.query, limit: 5).all.map(\.section)
                reply.read(found)
                guard !found.isEmpty else { return "Nothing was found. Try other words." }
                return found.map { Prompt.section($0, characters: Self.toolCharacters / 4) }.joined(separator: "\n\n")
            },
            try Tool("read", "The whole text of a section, by its number.") { (read: Read) in
                let found = try await storage.perform(GetSections(sections: [read.section])).sections
                guard let section = found.first else { throw ToolError("There is no section \(read.section).") }
                reply.read([section])
                return Prompt.section(section, characters: Self.toolCharacters)
            },
        ]
    }
}
