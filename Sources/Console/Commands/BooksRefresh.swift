import ArgumentParser
import Contract
import RPC
import Wire

/// `octavo run books-refresh`.
struct BooksRefresh: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "books-refresh",
        abstract: "Import every book again whose files are known here.",
        discussion: """
            Each is read from where `octavo books import` read it, so run this on the same machine. Files that did not change \
            keep their sections. Exit code 1 when a book could not be read; the others are imported all the same.
            """
    )

    @Flag(help: "One JSON document a book, for scripts.") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let failed = try await service.withService("storage") { storage in
            let books = try await Self.books(storage)
            if books.isEmpty {
                Terminal.error.line("No book's files are known: octavo books import PATH --title TITLE")
            }
            var failed = 0
            for book in books where try await !refresh(book, storage) { failed += 1 }
            return failed
        }
        if failed > 0 { throw ExitCode(1) }
    }

    private static func books(_ storage: RPCClient) async throws -> [ListSources.Source] {
        var books: [ListSources.Source] = []
        var after: Int? = 0
        while let place = after {
            let page = try await storage.perform(ListSources(after: place))
            books += page.books
            after = page.next
        }
        return books
    }

    /// Whether it could be read.
    private func refresh(_ book: ListSources.Source, _ storage: RPCClient) async throws -> Bool {
        let title = Terminal.harmless(book.title)
        do {
            let report = try await BookImport(
                paths: book.sources,
                title: book.title,
                authors: book.authors,
                storage: storage,
                progress: .error
            ).run()
            Terminal.output.line(
                json
                    ? try report.json()
                    : "\(book.book)  \(title): \(report.documents) files, \(report.changed) changed, \(report.removed) removed"
            )
            return true
        } catch let failure as Failure {
            Terminal.error.line("\(book.book)  \(title): \(failure)")
            return false
        }
    }
}
