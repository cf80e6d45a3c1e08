import Daemon
import ScriptedProvider
import TestSupport
import Testing
import Wire

/// Several models, of which the first one fails.
@Suite(.serialized) struct FallbackHouseTests {
    private func withHouse(_ body: (TestHouse) async throws -> Void) async throws {
        let answers = [Answer.fails(404), .says("Write to your lead at least two weeks before.")]
        try await ScriptedProvider.withServer(answers) { provider in
            let settings = ["OPENAI_BASE_URL": provider.url, "OCTAVO_MODEL": "first,second"]
            try await TestHouse.run(database: TestDatabase.make(), settings: settings) { house in
                try await house.waitUntilReady()
                try await house.importBook("Handbook", handbook)
                try await body(house)
            }
        }
    }

    @Test func theTerminalIsToldWhichModelAnsweredInPlaceOfTheFirst() async throws {
        try await withHouse { house in
            let answer = try await house.octavo(["ask", "How do I request a day off?"])
            #expect(answer.exit == .code(0) && answer.text.contains("two weeks before"), "\(answer.errors)")
            // Beside the answer, not in it.
            #expect(
                answer.errors.contains("(answered by second, since first said nothing that could be used)"),
                "\(answer.errors)"
            )
            #expect(!answer.text.contains("second"))
        }
    }

    @Test func theDocumentNamesBothModels() async throws {
        try await withHouse { house in
            let answer = try await house.octavo(["ask", "--json", "How do I request a day off?"])
            let document = try JSON(validating: String(answer.text.dropLast()))
            #expect(document.member("model")?.string == "second", "\(answer.text)")
            #expect(document.member("instead_of")?.string == "first")
        }
    }

    @Test func anAnswerOfTheFirstModelNamesNoOther() async throws {
        try await ScriptedProvider.withServer([.says("Write to your lead at least two weeks before.")]) { provider in
            let settings = ["OPENAI_BASE_URL": provider.url, "OCTAVO_MODEL": "first,second"]
            try await TestHouse.run(database: TestDatabase.make(), settings: settings) { house in
                try await house.waitUntilReady()
                try await house.importBook("Handbook", handbook)
                let answer = try await house.octavo(["ask", "--json", "How do I request a day off?"])
                let document = try JSON(validating: String(answer.text.dropLast()))
                #expect(
                    document.member("model")?.string == "first" && document.member("instead_of") == nil,
                    "\(answer.text)"
                )
            }
        }
    }
}
