import ArgumentParser
import Contract
import RPC
import Wire

/// `octavo reading-list`.
struct ReadingLists: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reading-list",
        abstract: "The books and sections a reader has kept.",
        discussion: """
            Readers, books and sections are named by their ids:

              octavo readers list
              octavo books search "days off"
              octavo reading-list add 1 2 --section 17 --summary "How to ask for a day off"
              octavo reading-list list 1
            """,
        subcommands: [ReadingListAdd.self, ReadingListShow.self, ReadingListRemove.self]
    )
}

/// `octavo reading-list add`.
struct ReadingListAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Keep a book, or one section of it.",
        discussion: "What is kept already is kept once; a summary replaces the one it had."
    )

    @Argument(help: "The reader's id.") var reader: Int
    @Argument(help: "The book's id.") var book: Int
    @Option(parsing: .unconditional, help: "Keep this section of the book only.") var section: Int?
    @Option(help: "What it is about, at most 2000 characters.") var summary: String?
    @Flag(help: "One JSON document, for scripts.") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let add = AddToReadingList(reader: reader, book: book, section: section, summary: summary)
        let kept = try await service.withService("storage") { try await $0.json(add) }
        if json { return Terminal.output.line(kept.description) }
        Terminal.output.line(try kept.decode(AddToReadingList.Result.self).entry.line)
    }
}

/// `octavo reading-list list`.
struct ReadingListShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "What a reader has kept, the newest first."
    )

    @Argument(help: "The reader's id.") var reader: Int
    @Option(parsing: .unconditional, help: "Begin behind the entry with this id.") var before: Int?
    @Option(parsing: .unconditional, help: "How many, 1 to 200.") var limit = 50
    @Flag(help: "One JSON document, for scripts.") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let get = GetReadingList(reader: reader, before: before, limit: limit)
        let found = try await service.withService("storage") { try await $0.json(get) }
        if json { return Terminal.output.line(found.description) }
        let list = try found.decode(GetReadingList.Result.self)
        if list.entries.isEmpty {
            Terminal.error.line(
                "Nothing here. Keep a book or a section: octavo reading-list add \(reader) BOOK [--section SECTION]"
            )
        }
        for entry in list.entries { Terminal.output.line(entry.line) }
        if let next = list.next {
            Terminal.error.line("There are more: octavo reading-list list \(reader) --before \(next)")
        }
    }
}

/// `octavo reading-list remove`.
struct ReadingListRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "remove", abstract: "Take an entry off a list.")

    @Argument(help: "The reader's id.") var reader: Int
    @Argument(help: "The entry's id, as in `octavo reading-list list`.") var entry: Int
    @Flag(help: "One JSON document, for scripts.") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let remove = RemoveFromReadingList(reader: reader, entry: entry)
        let done = try await service.withService("storage") { try await $0.json(remove) }
        Terminal.output.line(json ? done.description : "Entry \(entry) is gone.")
    }
}

extension ReadingListEntry {
    /// An entry in a list for people.
    fileprivate var line: String {
        let part = section.map { " · section \($0)" } ?? ""
        let about = summary.map { "  " + Terminal.oneLine($0) } ?? ""
        return "\(id)  \(Terminal.oneLine(book.title))\(part)\(about)"
    }
}
