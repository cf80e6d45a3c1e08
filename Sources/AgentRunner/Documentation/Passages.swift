import Contract

/// The sections a run has read: all that its answer may rest on.
struct Passages: Sendable {
    /// A section, taken apart once for the checks to come.
    struct Passage: Sendable {
        let section: Section
        /// How well it fitted the question, compared with the others of one search.
        let score: Double
        let statements: [Statement]
        /// The words of the heading that says what it is about, and those of the headings above.
        let headingWords: Set<String>
        let outerHeadingWords: Set<String>
        /// Its own heading's words without what stands there in parentheses, a type or the arguments.
        let subjectWords: Set<String>
        /// False when another section read begins the text that this one goes on with.
        var isBeginning = true
    }

    /// The most sections one run may read; each is at most some pages long.
    static let maximum = 60

    private(set) var all: [Passage] = []
    private var indexes: [Int: Int] = [:]

    /// Those of several searches: of each the best, then of each the next. What a search says of how well they fit is compared with the
    /// best that it has found.
    init(of searches: [Passages]) {
        self.init()
        guard searches.count > 1 else {
            self = searches.first ?? self
            return
        }
        for rank in 0..<(searches.map(\.all.count).max() ?? 0) {
            for search in searches where rank < search.all.count {
                let best = search.all.map(\.score).max() ?? 0
                add(search.all[rank].section, score: best > 0 ? search.all[rank].score / best : 1)
            }
        }
    }

    init() {}

    /// Adds a section unless the run has it already.
    mutating func add(_ section: Section, score: Double = 0) {
        guard indexes[section.id] == nil, all.count < Self.maximum else { return }
        indexes[section.id] = all.count
        // Long texts are stored in parts, one after the other under the same headings.
        let parts = all.indices.filter { all[$0].section.isSameText(as: section) }
        for part in parts where all[part].section.id > section.id { all[part].isBeginning = false }
        var headings = section.headings[...]
        if headings.count > 1, Self.plainHeadings.contains(headings[headings.count - 1]) { headings.removeLast() }
        all.append(
            Passage(
                section: section,
                score: score,
                statements: Statement.of(section.text),
                headingWords: Self.words(ofHeadings: headings.suffix(1)),
                outerHeadingWords: Self.words(ofHeadings: headings.dropLast()),
                subjectWords: Self.words(ofHeadings: headings.suffix(1).map(Self.withoutParentheses)[...]),
                isBeginning: !parts.contains { all[$0].section.id < section.id }
            )
        )
    }

    /// Headings that leave it to the one above to say what a section is about.
    private static let plainHeadings: Set<String> = ["Description", "Overview", "Introduction", "Summary", "General"]

    /// The words of headings without their numbers.
    private static func words(ofHeadings headings: ArraySlice<String>) -> Set<String> {
        Set(ContentWords.of(headings.joined(separator: "\n")).filter { !$0.allSatisfy(\.isNumber) })
    }

    private static func withoutParentheses(_ heading: String) -> String {
        guard let open = heading.firstIndex(where: { "([{".contains($0) }), open > heading.startIndex else {
            return heading
        }
        return String(heading[..<open])
    }

    subscript(section: Int) -> Passage? {
        indexes[section].map { all[$0] }
    }
}

extension Section {
    fileprivate func isSameText(as other: Section) -> Bool {
        book.id == other.book.id && file == other.file && anchor == other.anchor && headings == other.headings
    }
}
