import Contract
import Daemon
import RPC
import ScriptedProvider
import TestSupport
import Testing
import Wire

/// A model that fails when it is asked, and what people hear of that.
@Suite(.serialized) struct ModelAwayHouseTests {
    private static let away = [Answer](repeating: .fails(503, "overloaded"), count: 3)

    private func withHouse(
        _ answers: [Answer],
        calls: Int? = nil,
        _ body: (TestHouse, ScriptedProvider) async throws -> Void
    ) async throws {
        try await ScriptedProvider.withServer(answers) { provider in
            var settings = ["OPENAI_BASE_URL": provider.url, "OCTAVO_MODEL": "small"]
            settings["OPENAI_CALLS"] = calls.map { "\($0)" }
            try await TestHouse.run(database: TestDatabase.make(), settings: settings) { house in
                try await house.waitUntilReady()
                try await house.importBook("Handbook", handbook)
                try await body(house, provider)
            }
        }
    }

    private func octavo(_ words: [String], _ house: TestHouse) async throws -> TestHouse.Output {
        try await house.octavo(words + ["--run-folder", house.runFolder])
    }

    @Test func whoeverWaitsIsToldWhyItIsTriedAgain() async throws {
        let says = Answer.says("Write to your lead at least two weeks before.")
        try await withHouse(Self.away + [says]) { house, _ in
            let answer = try await house.octavo(["ask", "How do I request a day off?"])
            #expect(answer.exit == .code(0) && answer.text.contains("two weeks before"), "\(answer.errors)")
            let why = "(trying again in a moment: The provider failed (HTTP 503). It said: overloaded)"
            #expect(answer.errors.contains(why), "\(answer.errors)")
            // Nothing was said that is void now.
            #expect(!answer.errors.contains("starting over"), "\(answer.errors)")
        }
    }

    @Test func whoeverWaitsForATurnIsToldOfThoseWhoGoFirst() async throws {
        let says = Answer.says("Write to your lead at least two weeks before.")
        try await withHouse([.hangs(afterSaying: "So"), says], calls: 1) { house, provider in
            let question = Question(text: "How do I request a day off?", channel: .http)
            let enqueues = (0..<2).map { _ in EnqueueRun(run: .new(), agent: "documentation", question: question) }
            try await house.withAdmin(of: "storage") { storage in
                _ = try await storage.perform(enqueues[0])
                await provider.received(1)
                _ = try await storage.perform(enqueues[1])
                for try await event in storage.stream(FollowRun(run: enqueues[1].run), deadline: .seconds(60)).items {
                    guard case .status(let text) = event.body, text.hasPrefix("Waiting") else { continue }
                    #expect(text == "Waiting for the model; 1 question goes first…" && provider.requests.count == 1)
                    _ = try await storage.perform(CancelRun(run: enqueues[0].run))
                }
                let found = try await storage.perform(GetRun(run: enqueues[1].run))
                #expect(found.outcome?.answer?.contains("two weeks before") == true)
            }
        }
    }

    @Test func whoeverLooksAfterTheServicesIsWarned() async throws {
        try await withHouse(Self.away + [.hangs(afterSaying: "So")]) { house, provider in
            let asking = ["runs", "enqueue", "How do I request a day off?", "--agent", "documentation"]
            let asked = try await octavo(asking, house)
            try #require(asked.exit == .code(0), "\(asked.errors)")
            await provider.received(4)
            // Ready it is all the same: others of its agents may ask another model.
            let health = try await octavo(["health"], house)
            #expect(health.exit == .code(0), "\(health.text)")
            let warning = "openai:small does not answer: it has failed 3 times in a row."
            #expect(health.text.contains(warning) && health.text.contains("models.failing 1"), "\(health.text)")
            let nagios = try await octavo(["health", "--nagios"], house)
            #expect(nagios.exit == .code(1) && nagios.text.contains("WARNING - agent-runner: openai:small"))
            let check = try await octavo(["run", "check"], house)
            #expect(check.text.contains(warning), "\(check.text)")
        }
    }
}
