import ArgumentParser
import Contract
import RPC
import Wire

/// `octavo books search`.
struct BooksSearch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search",
        abstract: "Find the sections that fit some words best.",
        discussion: """
              octavo books search max_connections
              octavo books search --limit 3 "ON CONFLICT"
              octavo books search '->>'

            Words, questions, identifiers, operators and misspellings all work. A word that looks like an option goes behind --:

              octavo books search -- --jobs
            """
    )

    @Argument(help: "What to look for.") var words: [Word]
    @Option(parsing: .unconditional, help: "How many sections to show, 1 to 50.") var limit = 10
    @Option(
        parsing: .unconditional,
        help: "Search the book with this id only, as `octavo books list` shows it. (default: all)"
    ) var book: Int?
    @Flag(help: "One JSON document, for scripts: {\"hits\":[…],…} (protocol/storage.md).") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let search = SearchSections(query: words.map(\.text).joined(separator: " "), limit: limit, book: book)
        let found = try await service.withService("storage") { try await $0.json(search) }
        if json { return Terminal.output.line(found.description) }
        show(try found.decode(SearchSections.Result.self))
    }

    private func show(_ result: SearchSections.Result) {
        let out = Terminal.output
        for (word, meant) in result.corrections.sorted(by: { $0.key < $1.key }) {
            Terminal.error.line("No section has \"\(word)\"; searched \"\(meant)\".")
        }
        if result.hits.isEmpty { Terminal.error.line("Nothing found.") }
        for (number, hit) in result.hits.enumerated() {
            out.line(
                "\(out.styled("\(number + 1).", .dim)) \(out.styled(Terminal.harmless(hit.headings.joined(separator: " › ")), .bold))"
            )
            let place = hit.anchor.isEmpty ? hit.file : "\(hit.file)#\(hit.anchor)"
            out.line("   " + out.styled(Terminal.harmless("\(hit.book.title) · \(place) · section \(hit.id)"), .cyan))
            out.line("   " + emphasised(Terminal.harmless(hit.excerpt), hit.words))
            out.line()
        }
    }

    /// The excerpt on one line, the matched words set off.
    private func emphasised(_ excerpt: String, _ words: [String]) -> String {
        let words = Set(words)
        var result = ""
        var word = ""
        func flush() {
            result += words.contains(word) ? Terminal.output.styled(word, .green) : word
            word = ""
        }
        for character in excerpt {
            if character.isLetter || character.isNumber || character == "_" {
                word.append(character)
            } else {
                flush()
                result.append(character.isNewline ? " " : character)
            }
        }
        flush()
        return result
    }
}
