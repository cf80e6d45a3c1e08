import Agents
import Contract
import NIOHTTP1
import Postgres
import RPC
import ScriptedProvider
import TestSupport
import Testing
import Wire

/// Runs accepted for later, through processes that are killed, stopped and told to give up.
@Suite(.serialized) struct RunQueueHouseTests {
    private static let sentence = "Write to your lead at least two weeks before."

    private func withHouse(
        on database: String? = nil,
        model answers: [Answer] = [],
        _ body: (TestHouse, ScriptedProvider) async throws -> Void
    ) async throws {
        try await ScriptedProvider.withServer(answers) { provider in
            let settings = ["OPENAI_BASE_URL": provider.url, "OCTAVO_MODEL": "scripted"]
            var own = database
            if own == nil { own = try await TestDatabase.make() }
            try await TestHouse.run(database: own, settings: settings) { house in
                try await house.waitUntilReady()
                try await house.importBook("Handbook", handbook)
                try await body(house, provider)
            }
        }
    }

    private func enqueue(
        _ house: TestHouse,
        _ agent: String = "documentation",
        _ change: (inout EnqueueRun) -> Void = { _ in }
    ) async throws -> RunID {
        let question = Question(text: "How do I request a day off?", channel: .http)
        var enqueue = EnqueueRun(run: .new(), agent: agent, question: question)
        change(&enqueue)
        return try await house.withAdmin(of: "storage") { [enqueue] in try await $0.perform(enqueue).run }
    }

    private func events(of run: RunID, _ house: TestHouse) async throws -> [JSON] {
        try await house.withAdmin(of: "storage") { storage in
            var events: [JSON] = []
            for try await event in storage.stream(FollowRun(run: run), deadline: .seconds(100)).json {
                events.append(event)
            }
            return events
        }
    }

    private func get(_ run: RunID, _ house: TestHouse) async throws -> GetRun.Result {
        try await house.withAdmin(of: "storage") { try await $0.perform(GetRun(run: run)) }
    }

    /// Some; thousands are for `Tests/Benchmarks/runs`.
    @Test func everyRunEndsOnceWhateverIsKilledMeanwhile() async throws {
        try await withHouse { house, _ in
            var runs: [RunID] = []
            for service in ["octavo-agent-runner", "octavo-storage", "octavo-agent-runner"] {
                // Accepted all at once, so that most of them are still to be carried out.
                runs += try await accept(40, house)
                house.kill(service)
            }
            runs += try await accept(1, house)
            try await house.withAdmin(of: "storage") { storage in
                for run in runs {
                    var events: [JSON] = []
                    for try await event in storage.stream(FollowRun(run: run), deadline: .seconds(600)).json {
                        events.append(event)
                    }
                    let types = events.map { $0.member("type")?.string }
                    #expect(types.count { $0 == "finished" } == 1 && types.last == "finished")
                    #expect(events.map { $0.member("sequence")?.description } == (1...events.count).map { "\($0)" })
                    let state = try await storage.perform(GetRun(run: run)).state
                    #expect(state == .succeeded)
                }
            }
        }
    }

    /// Accepts runs as a caller does that never loses one: again with the same ids when nobody answered.
    private func accept(_ count: Int, _ house: TestHouse) async throws -> [RunID] {
        let question = Question(text: "How?", channel: .http)
        let runs = (0..<count).map { _ in EnqueueRun(run: .new(), agent: "echo", question: question) }
        try await eventually {
            do {
                return try await house.withAdmin(of: "storage") { storage in
                    try await storage.batch(runs.map { BatchedOperation($0) }).count == count
                }
            } catch is ServiceError {
                return false
            }
        }
        return runs.map(\.run)
    }

    @Test func cancellingStopsAModelThatNeverAnswers() async throws {
        try await withHouse(model: [.hangs]) { house, provider in
            let run = try await enqueue(house)
            await provider.received(1)
            let answer = try await HTTP(house: house).post("/v1/runs/\(run)/cancel", "{}")
            #expect(answer.string("state") == "cancelled")
            try await eventually {
                try await house.withAdmin(of: "agent-runner") { try await $0.perform(GetHealth()) }.gauges["runs"] == 0
            }
            let last = try await events(of: run, house).last
            #expect(try last?.decode(RunEvent.self).type == "finished")
        }
    }

    @Test func aDeadlineStopsAModelThatNeverAnswers() async throws {
        let database = try await TestDatabase.make()
        try await withHouse(on: database, model: [.hangs]) { house, provider in
            let run = try await enqueue(house) { $0.deadlineMilliseconds = 3_600_000 }
            await provider.received(1)
            let connection = try await PostgresConnection.connect(PostgresConfiguration(database))
            try await connection.query("update run_work set deadline_at = clock_timestamp()")
            await connection.close()
            try await eventually {
                try await house.withAdmin(of: "agent-runner") { try await $0.perform(GetHealth()) }.gauges["runs"] == 0
            }
            let found = try await get(run, house)
            #expect(found.state == .failed && found.outcome?.error?.code == "deadline_exceeded")
        }
    }

    @Test func aCancelledRunEndsTheStreamOfTheReaderWhoWaitsForIt() async throws {
        try await withHouse(model: [.hangs]) { house, provider in
            let run = RunID.new()
            let body = #"{"question":"How do I request a day off?","run":"\#(run)"}"#
            async let stream = HTTP(house: house).events(.POST, "/v1/ask", body: body)
            await provider.received(1)
            try await house.withAdmin(of: "storage") { storage in
                // It is told to the runner before the run is stored, perhaps.
                try await eventually { (try? await storage.perform(CancelRun(run: run))) != nil }
            }
            let events = try await stream
            #expect(events.last?.event == "finished" && events.last?.data.contains("cancelled") == true)
        }
    }

    @Test func aStoppedRunnerGivesBackWhatItCannotFinishForFree() async throws {
        let database = try await TestDatabase.make()
        try await ScriptedProvider.withServer([.hangs, .says(Self.sentence)]) { provider in
            let settings = ["OPENAI_BASE_URL": provider.url, "OCTAVO_MODEL": "scripted", "OCTAVO_DRAIN_SECONDS": "10"]
            let run = try await TestHouse.run(database: database, settings: settings) { house in
                try await house.waitUntilReady()
                try await house.importBook("Handbook", handbook)
                let run = try await enqueue(house) { $0.tries = 1 }
                await provider.received(1)
                return run
            }
            // Its one try is still there for the next.
            try await TestHouse.run(database: database, settings: settings) { house in
                try await house.waitUntilReady()
                try await eventually { try await get(run, house).state == .succeeded }
                let attempt = try await get(run, house).attempt
                #expect(attempt == 2)
            }
        }
    }

    @Test func whatWasBoughtBeforeARunnerWasKilledIsNotBoughtAgain() async throws {
        let call = ScriptedCall(id: "call_1", name: "search", arguments: #"{"query":"day off"}"#)
        try await withHouse(model: [.calls(call), .hangs, .says(Self.sentence)]) { house, provider in
            let run = try await enqueue(house)
            await provider.received(2)
            house.kill("octavo-agent-runner")
            try await eventually { try await get(run, house).state.isTerminal }
            let found = try await get(run, house)
            #expect(found.state == .succeeded && found.attempt == 2)
            #expect(found.outcome?.answer?.contains("two weeks before") == true)
            // The third is the second once more: what the model asked first, and what the tool said, was there.
            let bodies = provider.requests.map(\.body)
            #expect(bodies.count == 3 && bodies.dropFirst().allSatisfy { $0.contains("call_1") })
        }
    }

    @Test func aProviderThatIsBusyIsAskedAgainWhenItSaysSo() async throws {
        let busy = Answer.rateLimited(retryAfter: "1")
        try await withHouse(model: [busy, busy, busy, .says(Self.sentence)]) { house, provider in
            let run = try await enqueue(house)
            await provider.received(3)
            // Another of the same provider waits with it; one that asks nobody does not.
            let echo = try await enqueue(house, "echo")
            try await eventually { try await get(echo, house).state == .succeeded }
            try await eventually { try await get(run, house).state.isTerminal }
            let found = try await get(run, house)
            #expect(found.state == .succeeded && found.attempt == 2)
            let types = try await events(of: run, house).map { try $0.decode(RunEvent.self).type }
            #expect(types.contains("postponed") && types.contains("restarted") && types.count { $0 == "finished" } == 1)
        }
    }
}
