import ArgumentParser

/// `octavo books import`.
struct BooksImport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Read a folder of Markdown or HTML, or one file, into a book.",
        discussion: """
            The book with that title is made, or brought up to date: files that did not change keep their sections, those \
            that are gone go. Readers see the new state all at once, at the end.

              octavo books import /usr/share/doc/postgresql-doc-15/html --title "PostgreSQL 15"
              octavo books import notes.md --title "Notes" --author Ada --author Grace

            Read are .md, .markdown, .html, .htm and .xhtml; what is left out is said on standard error.
            """
    )

    @Argument(help: "A folder, or one file.", completion: .file()) var path: String
    @Option(help: "The book's title; the same title is the same book.") var title: String
    @Option(name: .customLong("author"), help: "An author; repeat for several.") var authors: [String] = []
    @Flag(help: "One JSON document at the end, for scripts.") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let report = try await service.withService("storage") { storage in
            try await BookImport(paths: [path], title: title, authors: authors, storage: storage, progress: .error)
                .run()
        }
        if json { return Terminal.output.line(try report.json()) }
        Terminal.output.line(
            "\"\(title)\" is book \(report.book): \(report.documents) files, \(report.sections) sections "
                + "(\(report.changed) files changed, \(report.removed) removed)."
        )
    }
}
