/// Words people use for the same thing when they work with computers: who asks how to kill a session finds how to terminate
/// it. Few on purpose; a group holds only words that may stand for each other in most manuals.
enum Alike {
    private static let groups = [
        "kill terminate cancel abort stop", "delete remove drop", "show list display see", "change modify alter",
        "create make", "size space large big", "length long", "disable off", "enable on", "increase raise",
        "copy duplicate",
        "start launch", "quit exit leave", "max maximum limit upper", "min minimum lower", "directory folder",
        "argument parameter option setting", "auto automatic automatically", "forbid prevent prohibit",
        "allow permit", "convert cast", "concatenate join", "connected connection session", "select read", "fast quick",
        "upgrade update", "backup dump", "string text", "characters letters", "contain consist include hold",
        "table relation",
    ]

    private static let others: [String: Set<String>] = groups.reduce(into: [:]) { others, group in
        let words = group.split(separator: " ").map { ContentWords.reduced(String($0)) }
        for word in words { others[word, default: []].formUnion(words.filter { $0 != word }) }
    }

    /// The words that may stand for a reduced word.
    static func to(_ word: String) -> Set<String> { others[word] ?? [] }
}
