import ArgumentParser
import Contract
import Glibc

/// `octavo ask`.
struct Ask: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ask a question; the answer appears as it is found, with its sources.",
        discussion: """
              octavo ask "How many connections may be open at once?"
              octavo ask --json "What does ->> do?"

            Quotation marks are for the shell. A word may begin with a hyphen; one that looks like an option goes behind --:

              octavo ask -- --jobs

            A question in a conversation is answered in the light of those before it; its id is any UUID, the same for all of them:

              talk=$(uuidgen)
              octavo ask --conversation $talk "What is max_connections?"
              octavo ask --conversation $talk "And in version 15?"

            A gateway on another machine asks for a key (octavo keys create): set OCTAVO_KEY.
            """
    )

    @Argument(help: "The question.") var question: [Word]
    @Option(
        help: ArgumentHelp(
            "The gateway's address. (default: OCTAVO_URL, else \(Asking.usualURL))",
            valueName: "address"
        )
    )
    var url: String?
    @Flag(help: "The answer with its citations as one JSON document, for scripts (protocol/gateway.md).") var json =
        false

    @Option(help: ArgumentHelp("The conversation it belongs to.", valueName: "uuid")) var conversation: String?

    func run() async throws {
        let talk = try conversation.map(ConversationID.init(argument:))
        let asking = try Asking(url: url ?? environment("OCTAVO_URL") ?? Asking.usualURL)
        let text = question.map(\.text).joined(separator: " ")
        if json {
            Terminal.output.line(try await asking.document(text, in: talk))
        } else {
            try await asking.stream(text, in: talk, to: .output)
        }
    }
}

/// A variable of the environment that is set to something.
func environment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
}
