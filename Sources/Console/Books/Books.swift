import ArgumentParser
import Contract
import RPC
import Wire

/// `octavo books`.
struct Books: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring documentation in, and search it.",
        subcommands: [BooksImport.self, BooksList.self, BooksSearch.self],
        defaultSubcommand: BooksList.self
    )
}

/// `octavo books list`.
struct BooksList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Which books there are.")

    @OptionGroup var service: ServiceOptions
    @Flag(help: "One JSON document, for scripts.") var json = false

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
