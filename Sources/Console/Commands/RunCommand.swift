import AgentFiles
import ArgumentParser

/// `octavo run`: management commands by name.
struct RunCommand: AsyncParsableCommand {
    /// Every command there is. A new one is a file in this folder, and its line here: Swift finds no types by itself.
    static let commands: [any ParsableCommand.Type] = [
        BooksRefresh.self,
        Check.self,
        Migrate.self,
        PruneCommand.self,
    ]

    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Management commands; without a name it lists them.",
        discussion: "`octavo run COMMAND --help` explains one.",
        subcommands: commands + [ListCommands.self],
        defaultSubcommand: ListCommands.self
    )

    /// Refuses words that a command does not take, for whoever has them carried out later, when nobody looks.
    static func check(_ name: String, _ words: [String]) throws {
        guard let command = commands.first(where: { $0.configuration.commandName == name }) else {
            let known = commands.compactMap { $0.configuration.commandName }.joined(separator: ", ")
            throw Failure("There is no command \"\(Terminal.oneLine(name))\" of `octavo run`: \(known).")
        }
        try parse(words, as: command)
    }

    private static func parse<Command: ParsableCommand>(_ words: [String], as command: Command.Type) throws {
        do {
            _ = try command.parse(words)
        } catch {
            let why = unknownOption(in: words, of: command) ?? command.message(for: error)
            throw Failure("The command would not be understood: \(Terminal.oneLine(why))")
        }
    }

    /// An option that was missed is told of before one that there is none of, though that may be what was meant by it.
    private static func unknownOption(in words: [String], of command: any ParsableCommand.Type) -> String? {
        let known = command.helpMessage(includeHidden: true).split { !($0.isLetter || $0.isNumber || $0 == "-") }
            .map(String.init).filter { $0.hasPrefix("--") }
        let typed = words.filter { $0.hasPrefix("--") && $0 != "--" }.map { String($0.prefix { $0 != "=" }) }
        guard let unknown = typed.first(where: { !known.contains($0) }) else { return nil }
        let hint = Suggestion.nearest(to: unknown, in: known).map { " Did you mean \($0)?" } ?? ""
        return "There is no option \(unknown.prefix(60)).\(hint)"
    }
}

/// What `octavo run` does with no command's name: lists all of them, or says which one may have been meant.
struct ListCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", shouldDisplay: false)

    @Argument(parsing: .captureForPassthrough) var words: [String] = []

    func run() async throws {
        let commands = RunCommand.commands.map { Self.entry($0.configuration) }
        guard let word = words.first else {
            let width = commands.map(\.name.count).max() ?? 0
            for command in commands {
                Terminal.output.line("\(command.name.padded(to: width))  \(command.does)")
            }
            return
        }
        let meant = Suggestion.nearest(to: word, in: commands.map(\.name))
        let hint = meant.map { " Did you mean `octavo run \($0)`?" } ?? ""
        let shown = Terminal.harmless(String(word.prefix(60)))
        throw ValidationError("There is no command \"\(shown)\".\(hint) `octavo run` lists all of them.")
    }

    private static func entry(_ configuration: CommandConfiguration) -> (name: String, does: String) {
        (configuration.commandName ?? "", configuration.abstract)
    }
}

/// What somebody may have meant.
enum Suggestion {
    /// What begins so; else the word with the fewest letters to change, as long as that is less than half of them.
    static func nearest(to typed: String, in known: [String]) -> String? {
        // What somebody typed may be long; no name is.
        let typed = String(typed.prefix(60))
        if let begun = known.first(where: { $0.hasPrefix(typed) }) { return begun }
        let rated = known.map { (word: $0, distance: Spelling.distance(typed, $0)) }
        guard let best = rated.min(by: { $0.distance < $1.distance }) else { return nil }
        return best.distance * 2 < max(typed.count, best.word.count) ? best.word : nil
    }
}
