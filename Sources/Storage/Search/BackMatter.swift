/// The pages every manual has and hardly anybody means: what changed, who helped, where words occur. One that is asked
/// for by a word of its title is meant.
struct BackMatter {
    private let titles: Set<String>
    /// Titles of several words, which stand in longer ones too: `What's New In 3.11`, `PostgreSQL 15 Release Notes`.
    private let long: [(begin: String, end: String)]

    /// - Parameter asked: the query's phrase.
    init(askedFor asked: String) {
        let words = Set(asked.split(separator: " "))
        let others = Self.all.filter { $0.split(separator: " ").allSatisfy { !words.contains($0) } }
        titles = Set(others)
        long = others.filter { $0.contains(" ") }.map { ($0 + " ", " " + $0) }
    }

    func contains(_ heading: Heading) -> Bool {
        titles.contains(heading.name)
            || long.contains { heading.name.hasPrefix($0.begin) || heading.name.hasSuffix($0.end) }
    }

    private static let all = [
        "release notes", "changelog", "change log", "what's new", "what’s new", "acknowledgments", "acknowledgements",
        "legal notice", "copyright", "license", "licence", "bibliography", "index", "general index",
    ]
}
