import ArgumentParser
import Contract
import RPC
import Wire

/// `octavo books rename`.
struct BooksRename: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rename",
        abstract: "Give a book another title.",
        discussion: "Import it under the new title from then on: by its title an import knows the book."
    )

    @Argument(help: "The book's id, as in `octavo books list`.") var book: Int
    @Argument(help: "The new title, 1 to 300 characters.") var title: String
    @Flag(help: "One JSON document, for scripts.") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let set = SetBookTitle(book, to: title)
        let changed = try await service.withService("storage") { try await $0.json(set) }
        if json { return Terminal.output.line(changed.description) }
        Terminal.output.line("Book \(book) is \"\(Terminal.harmless(title))\" now.")
    }
}

/// `octavo books remove`.
struct BooksRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Delete a book, with its sections and the entries of reading lists that name it."
    )

    @Argument(help: "The book's id, as in `octavo books list`.") var book: Int
    @Flag(help: "One JSON document, for scripts.") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let delete = DeleteBook(book)
        // A large book has some hundred thousand rows.
        let done = try await service.withService("storage") { try await $0.json(delete, deadline: .seconds(300)) }
        Terminal.output.line(json ? done.description : "Book \(book) is gone.")
    }
}
