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
        subcommands: [BooksImport.self, BooksList.self, BooksSearch.self],
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

    @OptionGroup var service: ServiceOptions
    @Flag(help: "One JSON document, for scripts: {\"books\":[…]} (protocol/storage.md).") var json = false

    func run() async throws {
        let list = try await service.withService("storage") { try await $0.json(ListBooks()) }
        if json { return Terminal.output.line(list.description) }
        let books = try list.decode(ListBooks.Result.self).books
        if books.isEmpty {
            Terminal.error.line("There are no books yet. Bring one in: octavo books import PATH --title TITLE")
        }
        for book in books {
            let authors = book.authors.isEmpty ? "" : " by " + book.authors.joined(separator: ", ")
            Terminal.output.line(
                "\(book.id)  \(Terminal.harmless(book.title))\(authors)  (\(book.sectionCount) sections)"
            )
        }
    }
}
