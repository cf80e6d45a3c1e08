import Contract
import Daemon
import FoundationEssentials
import RPC
import ScriptedProvider
import TestSupport
import Testing
import Wire

/// Where runs of agents of files end, and what they have used by then, through real processes.
@Suite(.serialized) struct LimitHouseTests {
    private func withHouse(
        _ files: [String: String],
        model script: @escaping @Sendable (RecordedRequest, Int) -> Answer,
        _ body: (TestHouse, ScriptedProvider) async throws -> Void
    ) async throws {
        let folder = "/tmp/octavo-agents-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, text) in files {
            try text.write(toFile: "\(folder)/\(name).yaml", atomically: true, encoding: .utf8)
        }
        try await ScriptedProvider.withServer(answering: script) { provider in
            let settings = ["OPENAI_BASE_URL": provider.url, "OCTAVO_MODEL": "scripted", "OCTAVO_AGENTS": folder]
            try await TestHouse.run(database: TestDatabase.make(), settings: settings) { house in
                try await house.waitUntilReady()
                try await body(house, provider)
            }
        }
    }

    private func ended(_ agent: String, _ house: TestHouse) async throws -> GetRun.Result {
        let run = RunID.new()
        _ = try await HTTP(house: house).post("/v1/agents/\(agent)/runs", #"{"input":"Hello","run":"\#(run)"}"#)
        return try await house.withAdmin(of: "storage") { storage in
            try await eventually { try await storage.perform(GetRun(run: run)).state.isTerminal }
            return try await storage.perform(GetRun(run: run))
        }
    }

    private static let search = Answer.calls(ScriptedCall(id: "1", name: "search", arguments: #"{"query":"day"}"#))

    @Test func aRunWhoseTimeIsOverIsNotTriedAgain() async throws {
        let files = ["slow": "instructions: Help.\nlimits: {seconds: 0.5}"]
        try await withHouse(files) { _, _ in
            Answer([.hang])
        } _: { house, provider in
            let run = try await ended("slow", house)
            #expect(run.state == .failed && run.attempt == 1 && provider.requests.count == 1, "\(run)")
            #expect(run.outcome?.error?.code == "resource_exhausted")
            #expect(run.outcome?.error?.message == "The run took longer than its limit of 0.5 seconds.")
        }
    }

    @Test func timeCountsFromTheFirstAttempt() async throws {
        let files = ["slow": "instructions: Help.\nlimits: {seconds: 2}"]
        try await withHouse(files) { _, _ in
            .fails(503)
        } _: { house, _ in
            let run = try await ended("slow", house)
            // It is over in the middle of an attempt, or before the next one would begin.
            let ends = ["The run took longer than its limit of 2 seconds.", Self.noTimeLeft]
            #expect(ends.contains { run.outcome?.error?.message.hasPrefix($0) == true }, "\(run)")
            #expect(run.attempt < 5)
        }
    }

    private static let noTimeLeft = "The limit of its time leaves none for another try."

    @Test func nobodyWaitsForATryThatWouldComeTooLate() async throws {
        let files = ["quick": "instructions: Help.\nlimits: {seconds: 50}"]
        try await withHouse(files) { _, _ in
            .rateLimited(retryAfter: "60")
        } _: { house, provider in
            let run = try await ended("quick", house)
            #expect(run.outcome?.error?.message.hasPrefix(Self.noTimeLeft) == true, "\(run)")
            #expect(run.attempt == 1 && provider.requests.count == 1)
        }
    }

    @Test func tokensCountOverTheWaitForAPerson() async throws {
        // Each answer has 15.
        let files = ["helper": "instructions: Help.\ntools: [search]\napproval: [search]\nlimits: {tokens: 15}"]
        try await withHouse(files) { request, _ in
            request.body.contains(#""role":"tool""#) ? .says("Done.") : Self.search
        } _: { house, provider in
            let enqueue = EnqueueRun(run: .new(), agent: "helper", question: Question(text: "?", channel: .http))
            try await house.withAdmin(of: "storage") { storage in
                _ = try await storage.perform(enqueue)
                try await eventually { try await storage.perform(GetRun(run: enqueue.run)).state == .waiting }
                let approvals = try await storage.perform(ListApprovals(state: .pending)).approvals
                let approval = try #require(approvals.first).approval
                _ = try await storage.perform(DecideApproval(approval, approve: true))
                try await eventually { try await storage.perform(GetRun(run: enqueue.run)).state.isTerminal }
                let run = try await storage.perform(GetRun(run: enqueue.run))
                #expect(run.outcome?.error?.message.contains("15 tokens") == true, "\(run)")
                #expect(run.attempt == 2 && provider.requests.count == 1)
            }
        }
    }

    @Test func whatAFailedRunHasUsedIsTold() async throws {
        let files = [
            "looping": "instructions: Help.\ntools: [search]\nlimits: {requests: 3}",
            "both": "together: {agents: [summariser, looping]}",
        ]
        try await withHouse(files) { request, _ in
            request.body.contains("You summarise") ? .fails(400) : Self.search
        } _: { house, _ in
            let alone = try await ended("looping", house)
            #expect(alone.outcome?.usage == Usage(requests: 3, inputTokens: 30, outputTokens: 15), "\(alone)")
            let both = try await ended("both", house)
            let part = try both.outcome?.output?.member("looping")?.decode(Outcome.self)
            #expect(part?.state == .failed && part?.usage.requests == 3, "\(both)")
            #expect(both.outcome?.usage == Usage(requests: 4, inputTokens: 30, outputTokens: 15), "\(both)")
        }
    }

    @Test func anEvaluationCountsWhatFailedToo() async throws {
        let files = ["looping": "instructions: Help.\ntools: [search]\nlimits: {requests: 3}"]
        try await withHouse(files) { _, _ in
            Self.search.after(.milliseconds(5))
        } _: { house, _ in
            let path = house.runFolder + "/looping.eval"
            let cases = "agent: looping\ncases: [{input: Hello, expect: {contains: x}}]"
            try cases.write(toFile: path, atomically: true, encoding: .utf8)
            let output = try await house.octavo(["eval", path])
            #expect(output.text.contains("0 of 1 passed; 45 tokens"), "\(output)")
            #expect(!output.text.contains("the slowest took 0 ms"), "\(output)")
        }
    }
}
