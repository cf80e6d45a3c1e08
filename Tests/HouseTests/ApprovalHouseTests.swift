import Contract
import Daemon
import FoundationEssentials
import RPC
import ScriptedProvider
import TestSupport
import Testing
import Wire

/// Calls that wait for a person, of agents of files and of agents that are part of another, through real processes.
@Suite(.serialized) struct ApprovalHouseTests {
    private static let sentence = "Write to your lead at least two weeks before."
    private static let files = [
        "greeter": "instructions: You greet.",
        "desk": "together: {agents: [documentation, greeter]}",
        "boss": "instructions: You have others work.\ntools: [\"agent:documentation\"]",
    ]

    private func withHouse(
        _ files: [String: String] = files,
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
                try await house.importBook("Handbook", handbook)
                try await body(house, provider)
            }
        }
    }

    private func enqueue(_ agent: String, _ text: String, _ house: TestHouse) async throws -> RunID {
        let enqueue = EnqueueRun(run: .new(), agent: agent, question: Question(text: text, channel: .http))
        return try await house.withAdmin(of: "storage") { try await $0.perform(enqueue).run }
    }

    private func run(_ run: RunID, _ house: TestHouse) async throws -> GetRun.Result {
        try await house.withAdmin(of: "storage") { try await $0.perform(GetRun(run: run)) }
    }

    private func waiting(_ id: RunID, _ house: TestHouse) async throws -> [ListApprovals.Result.Line] {
        try await eventually { try await run(id, house).state == .waiting }
        return try await house.withAdmin(of: "storage") {
            try await $0.perform(ListApprovals(state: .pending)).approvals
        }
    }

    private func decide(_ approval: Int, _ house: TestHouse, approve: Bool = true) async throws {
        let decide = DecideApproval(approval, approve: approve, reason: approve ? nil : "Not today.")
        _ = try await house.withAdmin(of: "storage") { try await $0.perform(decide) }
    }

    private func ended(_ id: RunID, _ house: TestHouse) async throws -> GetRun.Result {
        try await eventually { try await run(id, house).state.isTerminal }
        return try await run(id, house)
    }

    private func require(_ agent: String, _ tool: String, _ house: TestHouse) async throws {
        let required = try await house.octavo(["approvals", "require", agent, tool, "--run-folder", house.runFolder])
        #expect(required.exit == .code(0), "\(required.errors)")
    }

    private static func call(_ name: String, _ arguments: String, id: String = "call_1") -> ScriptedCall {
        ScriptedCall(id: id, name: name, arguments: arguments)
    }

    /// The documentation agent searches and answers, the others say what they are asked to.
    private static let script: @Sendable (RecordedRequest, Int) -> Answer = { request, _ in
        let isAnswered = request.body.contains(toolResult)
        if request.body.contains("You answer questions from the sections") {
            return isAnswered ? .says(sentence) : .calls(call("search", #"{"query":"day off"}"#))
        }
        guard request.body.contains("You have others work.") else { return .says("Good day.") }
        return isAnswered
            ? .says("So it is.")
            : .calls(
                call("ask_documentation", #"{"input":"How do I request a day off?"}"#),
                call("ask_documentation", #"{"input":"How do I request two days off?"}"#, id: "call_2")
            )
    }

    // MARK: Agents that are part of another

    @Test func onePartOfSeveralWaitsAndTheOthersAreNotBoughtTwice() async throws {
        try await withHouse(model: Self.script) { house, provider in
            try await require("documentation", "search", house)
            let id = try await enqueue("desk", "How do I request a day off?", house)
            let asked = try #require(await waiting(id, house).first)
            #expect(asked.agent == "documentation" && asked.tool == "search")
            house.kill("octavo-agent-runner")
            try await house.waitUntilReady()
            try await decide(asked.approval, house)
            let found = try await ended(id, house)
            #expect(found.state == .succeeded, "\(found)")
            let parts = try #require(found.outcome?.output)
            let documentation = try parts.member("documentation")?.decode(Outcome.self)
            #expect(documentation?.supported == true && documentation?.answer?.contains("two weeks") == true)
            #expect(try parts.member("greeter")?.decode(Outcome.self).answer == "Good day.")
            #expect(provider.requests.count == 3)
        }
    }

    @Test func anAgentThatIsAskedByAnotherWaitsAndTheOtherGetsItsAnswer() async throws {
        try await withHouse(model: Self.script) { house, provider in
            try await require("documentation", "search", house)
            let id = try await enqueue("boss", "Find out.", house)
            let asked = try await waiting(id, house)
            #expect(asked.map(\.agent) == ["documentation", "documentation"])
            for approval in asked { try await decide(approval.approval, house) }
            let found = try await ended(id, house)
            #expect(found.state == .succeeded && found.outcome?.answer == "So it is.", "\(found)")
            let told = try #require(provider.requests.last?.body)
            #expect(told.components(of: "two weeks") == 2 && !told.contains("failed"), "\(told)")
            // The asker twice, each that is asked twice.
            #expect(provider.requests.count == 6)
        }
    }

    // MARK: What readers see

    @Test func whoAsksIsToldWhatToTypeAndGetsTheAnswerThen() async throws {
        try await withHouse(model: Self.script) { house, _ in
            try await require("documentation", "search", house)
            async let asked = house.octavo(["ask", "How do I request a day off?"])
            try await eventually {
                let list = ListApprovals(state: .pending)
                let pending = try await house.withAdmin(of: "storage") { try await $0.perform(list).approvals }
                guard let first = pending.first else { return false }
                return try await run(first.run, house).state == .waiting
            }
            let approved = try await house.octavo(["approvals", "approve", "1", "--run-folder", house.runFolder])
            #expect(approved.exit == .code(0), "\(approved)")
            let answer = try await asked
            #expect(answer.exit == .code(0) && answer.text.contains("two weeks"), "\(answer)")
            #expect(answer.errors.contains("octavo approvals approve 1"), "\(answer)")
            #expect(answer.errors.contains("somebody has approved that documentation calls search"), "\(answer)")
        }
    }

    @Test func whatIsSaidInAConversationIsAnsweredAlsoWhenStorageIsKilledMeanwhile() async throws {
        try await withHouse(model: Self.script) { house, _ in
            try await require("documentation", "search", house)
            let words = ["conversations", "say", "How do I request a day off?", "--run-folder", house.runFolder]
            async let said = house.octavo(words)
            try await eventually {
                let list = ListApprovals(state: .pending)
                let pending = try await house.withAdmin(of: "storage") { try await $0.perform(list).approvals }
                guard let first = pending.first else { return false }
                return try await run(first.run, house).state == .waiting
            }
            house.kill("octavo-storage")
            try await house.waitUntilReady()
            try await decide(1, house)
            let answer = try await said
            #expect(answer.exit == .code(0) && answer.text.contains("two weeks"), "\(answer)")
            // Each event once.
            #expect(
                answer.errors.split(separator: "\n").count { $0.contains("octavo approvals approve 1") } == 1,
                "\(answer)"
            )
        }
    }

    @Test func theArgumentsThatAreShownAreThoseThatWouldBeUsed() async throws {
        let files = ["helper": "instructions: You help.\ntools: [search]\napproval: [search]"]
        try await withHouse(files) { request, _ in
            request.body.components(of: Self.toolResult) > 0
                ? .says("Done.") : .calls(Self.call("search", "{\"query\":\"day\u{202E}off\u{200B}\"}"))
        } _: { house, _ in
            let id = try await enqueue("helper", "How?", house)
            let asked = try #require(await waiting(id, house).first)
            #expect(asked.tool == "search")
            let shown = try await house.octavo(["approvals", "--run-folder", house.runFolder])
            #expect(shown.text.contains(#"day\u202eoff\u200b"#), "\(shown)")
            _ = try await house.octavo(
                ["approvals", "deny", "1", "--because", "We have enough.", "--run-folder", house.runFolder]
            )
            let decided = try await house.octavo(["approvals", "list", "--all", "--run-folder", house.runFolder])
            #expect(decided.text.contains("denied because: We have enough."), "\(decided)")
            #expect(decided.text.contains("denied by ") && !decided.text.contains("pid"), "\(decided)")
        }
    }

    @Test func aProgramThatWantsOneDocumentIsToldThatTheRunWaits() async throws {
        try await withHouse(model: Self.script) { house, _ in
            try await require("documentation", "search", house)
            let id = RunID.new()
            let body = #"{"question":"How do I request a day off?","run":"\#(id)"}"#
            for _ in 0..<2 {
                let waits = try await HTTP(house: house).post("/v1/ask", body)
                #expect(waits.status == 202 && waits.string("state") == "waiting", "\(waits)")
                #expect(waits.string("run") == "\(id)" && waits.body.contains(#""approval":1"#), "\(waits)")
            }
            #expect(try await HTTP(house: house).get("/v1/runs/\(id)").string("state") == "waiting")
            try await decide(1, house, approve: false)
            _ = try await ended(id, house)
            let then = try await HTTP(house: house).post("/v1/ask", body)
            #expect(then.status == 200 && then.string("state") == "succeeded", "\(then)")
            let followed = try await house.octavo(["runs", "follow", "\(id)", "--run-folder", house.runFolder])
            let states = try followed.text.split(separator: "\n").map { try JSON(validating: String($0)) }
                .filter { $0.member("type")?.string == "approval" }
                .map { $0.member("data")?.member("state")?.string }
            #expect(states == ["pending", "denied"], "\(followed)")
        }
    }

    // MARK: What agents of files have approved

    @Test func aCallThatTheFileWantsApprovedWaitsForAPerson() async throws {
        let files = ["helper": "instructions: You help.\ntools: [search]\napproval: [search]\napproval_seconds: 600"]
        try await withHouse(files) { request, _ in
            request.body.components(of: Self.toolResult) > 0
                ? .says("Done.") : .calls(Self.call("search", #"{"query":"day off"}"#))
        } _: { house, provider in
            let id = try await enqueue("helper", "How?", house)
            let asked = try #require(await waiting(id, house).first)
            #expect(asked.agent == "helper" && asked.tool == "search" && asked.why == "The agent's file says so.")
            let shown = try await house.octavo(["approvals", "--run-folder", house.runFolder])
            #expect(shown.text.contains("The agent's file says so."), "\(shown)")
            try await decide(asked.approval, house)
            let found = try await ended(id, house)
            #expect(found.outcome?.answer == "Done." && provider.requests.count == 2, "\(found)")
        }
    }

    @Test(arguments: [true, false])
    func whatSendsDataOutWaitsForAPersonOnceSomethingWasRead(isApproved: Bool) async throws {
        let root = "/" + #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        let server = "{desk: {command: [/usr/bin/env, python3, \(root)/AgentRunnerTests/Tools/mcp_server.py]}}"
        let files = ["helper": "instructions: You help.\ntools: [search, \"mcp:desk/echo\"]\nmcp: \(server)"]
        try await withHouse(files) { request, _ in
            switch request.body.components(of: Self.toolResult) {
            case 0: .calls(Self.call("search", #"{"query":"day off"}"#))
            case 1: .calls(Self.call("desk_echo", #"{"text":"Send this."}"#, id: "call_2"))
            default: .says("Done.")
            }
        } _: { house, provider in
            let id = try await enqueue("helper", "How?", house)
            let asked = try #require(await waiting(id, house).first)
            #expect(asked.tool == "desk_echo" && asked.arguments.contains("Send this."))
            #expect(asked.why?.contains("read what others wrote (by search)") == true)
            try await decide(asked.approval, house, approve: isApproved)
            let found = try await ended(id, house)
            #expect(found.outcome?.answer == "Done." && provider.requests.count == 3, "\(found)")
            let told = try #require(provider.requests.last?.body)
            #expect(told.contains("The call was not approved: Not today.") != isApproved, "\(told)")
        }
    }

    // MARK: What agents of files do in conversations

    @Test func anAgentOfAFileKnowsTheConversationAndDoesAboutEarlyTextsWhatItsFileSays() async throws {
        let files = ["helper": "instructions: You help.\ntools: [search]\napproval: [search]\nconversation: reject"]
        try await withHouse(files) { request, position in
            position == 0 ? .calls(Self.call("search", #"{"query":"day off"}"#)) : .says("Answer \(position).")
        } _: { house, provider in
            let http = HTTP(house: house)
            let messages = "/v1/conversations/\(ConversationID())/messages"
            let first = try await http.post(messages, #"{"text":"How?","agent":"helper"}"#)
            let id = try #require(first.string("run").flatMap { RunID($0) })
            let asked = try #require(await waiting(id, house).first)
            let early = try await http.post(messages, #"{"text":"And why?","agent":"helper"}"#)
            #expect(early.status == 409 && early.body.contains("still at work"), "\(early)")
            try await decide(asked.approval, house)
            _ = try await ended(id, house)
            let second = try await http.post(messages, #"{"text":"And why?","agent":"helper"}"#)
            let next = try #require(second.string("run").flatMap { RunID($0) })
            #expect(try await ended(next, house).outcome?.answer == "Answer 2.")
            let told = try #require(provider.requests.last?.body)
            #expect(told.contains("How?") && told.contains("Answer 1.") && told.contains("And why?"), "\(told)")
        }
    }

    private static let toolResult = #""role":"tool""#
}

extension String {
    /// How often it holds another.
    fileprivate func components(of other: String) -> Int {
        split(separator: other, omittingEmptySubsequences: false).count - 1
    }
}
