import ArgumentParser
import Contract
import RPC

@testable import Console

/// `octavo run empty-books`.
struct EmptyBooks: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "empty-books",
        abstract: "Name the books that have no sections."
    )

    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let page = try await service.withService("storage") { storage in
            try await storage.perform(ListBooks(limit: 500))
        }
        for book in page.books where book.sectionCount == 0 { Terminal.output.line(book.title) }
    }
}
