import ArgumentParser
import Contract
import Glibc

/// `octavo ask`.
struct Ask: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ask a question; the answer appears as it is found, with its sources.",
        discussion: "  octavo ask \"How many connections may be open at once?\""
    )

    @Argument(help: "The question.") var question: [String]
    @Option(help: "Where the gateway is.") var url = environment("OCTAVO_URL") ?? "http://127.0.0.1:8080"
    @Flag(help: "The answer as one JSON document, for scripts.") var json = false

    func run() async throws {
        let asking = Asking(url: url)
        let text = question.joined(separator: " ")
        if json {
            Terminal.output.line(try await asking.document(text))
        } else {
            try await asking.stream(text, to: .output)
        }
    }
}

/// A variable of the environment that is set to something.
func environment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
}
