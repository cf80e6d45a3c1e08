import Agents
import Contract
import FoundationEssentials
import Glibc
import NIOHTTP1
import ScriptedProvider
import TestSupport
import Testing
import Wire

/// Settings that change while questions are answered.
@Suite(.serialized) struct ReloadTests {
    @Test func anotherModelAnswersFromTheNextQuestionOn() async throws {
        let file = "/tmp/octavo-reload-\(UInt32.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: file) }
        func set(_ text: String) throws { try text.write(toFile: file, atomically: true, encoding: .utf8) }
        let question = "How do I request a day off?"
        let answer = Answer.says("Write to your lead at least two weeks before.").after(.milliseconds(500))
        try await ScriptedProvider.withServer(answering: { _, _ in answer }) { provider in
            try set("")
            try await TestHouse.run(database: TestDatabase.make(), settings: ["OCTAVO_SETTINGS": file]) { house in
                try await house.waitUntilReady()
                try await house.importBook("Handbook", handbook)
                let http = HTTP(house: house)
                let first = try await http.ask(question)
                #expect(first.string("model") == "extractive")

                try set("OPENAI_BASE_URL=\(provider.url)\nOCTAVO_MODEL=scripted\n")
                let reload = try await house.octavo(
                    ["reload", "agent-runner", "--yes", "--run-folder", house.runFolder]
                )
                #expect(reload.text.contains("new: OCTAVO_MODEL, OPENAI_BASE_URL"), "\(reload.text)\(reload.errors)")

                // A run that has begun keeps its model, and its reader the stream, while the next one has the other again.
                let body = #"{"question":"\#(question)"}"#
                async let stream = http.events(.POST, "/v1/ask", body: body)
                await provider.received(1)
                try set("# none\n")
                let runner = try #require(house.processID(of: "octavo-agent-runner"))
                kill(runner, SIGHUP)
                try await eventually {
                    house.log.split(separator: "\n").count { $0.contains("octavo-agent-runner: settings read again") }
                        == 2
                }
                let last = try await http.ask(question)
                #expect(last.string("model") == "extractive")
                let finished = try JSON(validating: try #require(await stream.last).data).decode(RunEvent.self)
                guard case .finished(let outcome) = finished.body else {
                    Issue.record("the stream has not finished")
                    return
                }
                #expect(outcome.model == "scripted" && outcome.state == .succeeded)
                #expect(house.processID(of: "octavo-agent-runner") == runner)
            }
        }
    }
}
