public import ArgumentParser
import Contract

/// The command line.
public struct Octavo: AsyncParsableCommand {
    /// The name, the help and the commands.
    public static let configuration = CommandConfiguration(
        commandName: "octavo",
        abstract: "Ask your own documentation, and get answers that cite it.",
        discussion: """
            Start everything on this machine, with a database of its own:

              octavo up

            Then, in another terminal:

              octavo books import ./docs --title "Handbook"
              octavo ask "How do I request a day off?"
            """,
        version: octavoVersion,
        subcommands: [Up.self, Ask.self, Books.self, Runs.self, HealthCommand.self]
    )

    /// Made by the argument parser.
    public init() {}
}
