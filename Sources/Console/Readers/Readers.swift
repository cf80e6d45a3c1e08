import ArgumentParser
import Contract
import RPC
import Wire

/// `octavo readers`.
struct Readers: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The members of staff who read.",
        discussion: """
            A reader has an id, a handle that never changes (a login, a Slack user), and a name.

              octavo readers add ada --name "Ada Lovelace"
              octavo readers rename 1 "Ada King"
            """,
        subcommands: [ReadersAdd.self, ReadersList.self, ReadersRename.self, ReadersRemove.self],
        defaultSubcommand: ReadersList.self
    )
}

/// `octavo readers add`.
struct ReadersAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "add", abstract: "Make a reader.")

    @Argument(help: "What others know the reader by, such as a login; 1 to 200 characters.") var handle: String
    @Option(help: "The name, 1 to 300 characters; the handle when it is left out.") var name: String?
    @Flag(help: "One JSON document, for scripts.") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let create = CreateReader(handle: handle, name: name ?? handle)
        let made = try await service.withService("storage") { try await $0.json(create) }
        if json { return Terminal.output.line(made.description) }
        Terminal.output.line(try made.decode(Reader.self).line)
    }
}

/// `octavo readers list`.
struct ReadersList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Which readers there are.")

    @Option(parsing: .unconditional, help: "Begin behind the reader with this id.") var after = 0
    @Option(parsing: .unconditional, help: "How many, 1 to 500.") var limit = 100
    @Flag(help: "One JSON document, for scripts.") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let list = ListReaders(after: after, limit: limit)
        let found = try await service.withService("storage") { try await $0.json(list) }
        if json { return Terminal.output.line(found.description) }
        let page = try found.decode(ListReaders.Result.self)
        if page.readers.isEmpty {
            Terminal.error.line("There are no readers here. Make one: octavo readers add HANDLE --name NAME")
        }
        for reader in page.readers { Terminal.output.line(reader.line) }
        if let next = page.next { Terminal.error.line("There are more: octavo readers list --after \(next)") }
    }
}

/// `octavo readers rename`.
struct ReadersRename: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "rename", abstract: "Give a reader another name.")

    @Argument(help: "The reader's id, as in `octavo readers list`.") var reader: Int
    @Argument(help: "The new name, 1 to 300 characters.") var name: String
    @Flag(help: "One JSON document, for scripts.") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let set = SetReaderName(reader, to: name)
        let changed = try await service.withService("storage") { try await $0.json(set) }
        if json { return Terminal.output.line(changed.description) }
        Terminal.output.line(try changed.decode(Reader.self).line)
    }
}

/// `octavo readers remove`.
struct ReadersRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Delete a reader, with the reading list. Questions they asked stay."
    )

    @Argument(help: "The reader's id, as in `octavo readers list`.") var reader: Int
    @Flag(help: "One JSON document, for scripts.") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let delete = DeleteReader(reader)
        let done = try await service.withService("storage") { try await $0.json(delete) }
        Terminal.output.line(json ? done.description : "Reader \(reader) is gone.")
    }
}

extension Reader {
    /// A reader in a list for people.
    var line: String { "\(id)  \(Terminal.oneLine(handle))  \(Terminal.oneLine(name))" }
}
