import Agents
import Contract
import Daemon
import NIOHTTP1
import RPC
import ScriptedProvider
import TestSupport
import Testing
import Wire

/// Each process killed during a question: nothing accepted is lost.
@Suite(.serialized) struct KillTests {
    private static let sentence = "Write to your lead at least two weeks before."

    /// A house whose model answers as told, with the handbook in it.
    private func withHouse(
        model answers: [Answer],
        _ body: (TestHouse, ScriptedProvider) async throws -> Void
    ) async throws {
        try await ScriptedProvider.withServer(answers) { provider in
            let settings = ["OPENAI_BASE_URL": provider.url, "OCTAVO_MODEL": "scripted"]
            try await TestHouse.run(database: TestDatabase.make(), settings: settings) { house in
                try await house.waitUntilReady()
                try await house.importBook("Handbook", handbook)
                try await body(house, provider)
            }
        }
    }

    private func body(_ run: RunID) -> String {
        #"{"question":"How do I request a day off?","run":"\#(run)"}"#
    }

    @Test func aKilledAgentRunnerLosesNoQuestionAndTheReaderKeepsTheirStream() async throws {
        // The first runner's model never answers; the next runner's does.
        try await withHouse(model: [.hangs, .says(Self.sentence)]) { house, provider in
            let run = RunID.new()
            async let stream = HTTP(house: house).events(.POST, "/v1/ask", body: body(run))
            await provider.received(1)
            house.kill("octavo-agent-runner")
            let events = try await stream

            #expect(events.map(\.id) == (1...events.count).map { "\($0)" })
            #expect(events.contains { $0.event == "restarted" })
            #expect(events.last?.event == "finished")
            #expect(events.last?.data.contains("two weeks before") == true)
            let stored = try await HTTP(house: house).events(.GET, "/v1/runs/\(run)/events")
            #expect(stored.map(\.data) == events.map(\.data))
        }
    }

    @Test func aKilledStorageLosesNoQuestion() async throws {
        try await withHouse(model: [.says(Self.sentence).after(.milliseconds(300)), .says(Self.sentence)]) {
            house,
            provider in
            async let stream = HTTP(house: house).events(.POST, "/v1/ask", body: body(.new()))
            await provider.received(1)
            house.kill("octavo-storage")
            let events = try await stream

            #expect(events.last?.event == "finished")
            #expect(events.last?.data.contains("two weeks before") == true)
            #expect(events.map(\.id) == (1...events.count).map { "\($0)" })
        }
    }

    @Test func aKilledGatewayCostsTheReaderTheirConnectionAndNothingElse() async throws {
        try await withHouse(model: [.says(Self.sentence).after(.milliseconds(300))]) { house, provider in
            let run = RunID.new()
            async let stream: [ServerSentEvent]? = try? HTTP(house: house).events(.POST, "/v1/ask", body: body(run))
            await provider.received(1)
            house.kill("octavo-gateway")
            _ = await stream

            let events = try await HTTP(house: house).events(.GET, "/v1/runs/\(run)/events")
            #expect(events.last?.event == "finished")
            #expect(events.last?.data.contains("two weeks before") == true)
        }
    }

    @Test(arguments: [[], ["--json"], ["--conversation", "0c8a2f3e-6d1b-4c5a-9e7f-1a2b3c4d5e6f"]])
    func theTerminalFollowsItsRunWhenTheGatewayIsKilled(options: [String]) async throws {
        try await withHouse(model: [.says(Self.sentence).after(.milliseconds(300))]) { house, provider in
            async let output = house.octavo(["ask"] + options + ["How do I request a day off?"])
            await provider.received(1)
            house.kill("octavo-gateway")
            let answer = try await output
            #expect(answer.exit == .code(0), "\(answer.errors)")
            // Shown once, though the stream began again; the document has it in the citation too.
            let times = answer.text.split(separator: "two weeks before", omittingEmptySubsequences: false).count - 1
            #expect(times == (options == ["--json"] ? 2 : 1), "\(answer.text)")
            // It was one run: nobody asked the model twice.
            let runs = try await HTTP(house: house).get("/v1/runs")
            #expect(runs.json?.member("runs")?.elements?.count == 1)
        }
    }

    @Test func aRunThatTakesEveryRunnerWithItFailsInTheRecord() async throws {
        let lost = Array(repeating: Answer.hangs, count: 5)
        try await withHouse(model: lost) { house, provider in
            let run = RunID.new()
            async let stream = HTTP(house: house).events(.POST, "/v1/ask", body: body(run))
            for attempt in 1...5 {
                await provider.received(attempt)
                house.kill("octavo-agent-runner")
            }
            let last = try #require(try await stream.last)
            let event = try JSON(validating: last.data).decode(RunEvent.self)
            guard case .finished(let outcome) = event.body else { throw Unexpected() }
            #expect(outcome.state == .failed)
            #expect(outcome.error?.code == "unavailable")
        }
    }

    @Test func stoppingLetsAcceptedQuestionsFinish() async throws {
        let database = try await TestDatabase.make()
        let run = RunID.new()
        try await ScriptedProvider.withServer([.says(Self.sentence).after(.milliseconds(300))]) { provider in
            let settings = ["OPENAI_BASE_URL": provider.url, "OCTAVO_MODEL": "scripted", "OCTAVO_DRAIN_SECONDS": "20"]
            try await TestHouse.run(database: database, settings: settings) { house in
                try await house.waitUntilReady()
                try await house.importBook("Handbook", handbook)
                try await house.withAdmin(of: "agent-runner") { runner in
                    let start = StartRun(
                        run: run,
                        question: Question(text: "How do I request a day off?", channel: .http)
                    )
                    for try await event in runner.stream(start).items where event.sequence == 1 { break }
                }
                await provider.received(1)
            }
        }
        try await TestHouse.run(database: database) { house in
            try await house.waitUntilReady()
            let answer = try await HTTP(house: house).get("/v1/runs/\(run)")
            #expect(answer.string("state") == "succeeded")
        }
    }
}

private struct Unexpected: Error {}
