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
              octavo health

            Exit codes: 0 done, 1 failed (the reason is on standard error), 2 not all services are ready (health), 64 unknown \
            arguments. Colour is used on a terminal only, and not at all when NO_COLOR is set.
            """,
        version: octavoVersion,
        subcommands: [
            Up.self, Ask.self, AgentsCommand.self, EvalCommand.self, Books.self, Readers.self, ReadingLists.self,
            Runs.self, Conversations.self, Approvals.self, Schedules.self, Webhooks.self, Keys.self, RunCommand.self,
        ],
        groupedSubcommands: [
            CommandGroup(
                name: "Administration",
                subcommands: [
                    HealthCommand.self, StatsCommand.self, ConnectionsCommand.self, CallsCommand.self,
                    LogLevelCommand.self, DrainCommand.self, ResumeCommand.self, ReloadCommand.self,
                    Install.self, Uninstall.self, Doctor.self,
                ]
            )
        ]
    )

    /// Runs the command that this process' arguments name, and ends the process when it fails.
    public static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            let command = try parseAsRoot(Words.marked(arguments))
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                var command = command
                try command.run()
            }
        } catch is DecodingError {
            exit(
                withError: Failure(
                    "The answer is not understood: octavo and the services are of different versions. Use one build."
                )
            )
        } catch {
            let text = fullMessage(for: error)
            guard text.contains("Unknown option"), let advice = Words.advice(arguments) else { exit(withError: error) }
            Terminal.error.line("\(text)\n\n\(advice)")
            exit(withError: exitCode(for: error))
        }
    }

    /// Made by the argument parser.
    public init() {}
}
