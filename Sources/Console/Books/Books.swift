import ArgumentParser
import Contract
import RPC
import Wire

/// `octavo books`.
struct Books: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring documentation in, and search it.",
        discussion: """
              octavo books import ./docs --title "Handbook"
              octavo books search "day off"
              octavo books
            """,
        subcommands: [BooksImport.self, BooksList.self, BooksSearch.self, BooksRename.self, BooksRemove.self],
        defaultSubcommand: BooksList.self
    )
}

/// `octavo books list`.
struct BooksList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Which books there are.",
        discussion: """
              octavo books list
              octavo books list --json | jq -r '.books[].title'

            Each line is a book's id, its title, its authors and how many sections it has.
            """
    )

    @Option(parsing: .unconditional, help: "Begin behind the book with this id.") var after = 0
    @Option(parsing: .unconditional, help: "How many, 1 to 500.") var limit = 100
    @Flag(help: "One JSON document, for scripts: {\"books\":[…],\"next\":…} (protocol/storage.md).") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let list = ListBooks(after: after, limit: limit)
        let found = try await service.withService("storage") { try await $0.json(list) }
        if json { return Terminal.output.line(found.description) }
        let page = try found.decode(ListBooks.Result.self)
        if page.books.isEmpty {
            Terminal.error.line("There are no books here. Bring one in: octavo books import PATH --title TITLE")
        }
        for book in page.books {
            let authors = book.authors.isEmpty ? "" : " by " + Terminal.oneLine(book.authors.joined(separator: ", "))
            Terminal.output.line(
                "\(book.id)  \(Terminal.oneLine(book.title))\(authors)  (\(book.sectionCount) sections)"
            )
        }
        if let next = page.next { Terminal.error.line("There are more: octavo books list --after \(next)") }
    }
}
