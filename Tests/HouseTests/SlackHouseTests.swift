import Contract
import FoundationEssentials
import ScriptedProvider
import TestSupport
import Testing
import Wire

/// Readers who ask from Slack, through real processes and a scripted Slack.
@Suite(.serialized) struct SlackHouseTests {
    private static let token = "xoxb-1234-not-a-real-one"

    private func withHouse(
        _ answer: @escaping @Sendable (RecordedRequest, Int) -> Answer,
        _ body: (TestHouse, ScriptedProvider) async throws -> Void
    ) async throws {
        try await ScriptedProvider.withServer(answering: answer) { slack in
            let settings = ["SLACK_BOT_TOKEN": Self.token, "SLACK_BASE_URL": slack.url]
            try await TestHouse.run(database: TestDatabase.make(), settings: settings) { house in
                try await house.waitUntilReady()
                try await body(house, slack)
            }
        }
    }

    private func ask(
        _ house: TestHouse,
        agent: String = "echo",
        deadline: String = ""
    ) async throws -> HTTP.Answer {
        let thread = #"{"channel":"C0123ABCD","thread":"1700000000.000100"}"#
        return try await HTTP(house: house).post(
            "/v1/ask",
            #"{"question":"How?","agent":"\#(agent)"\#(deadline),"slack":\#(thread)}"#
        )
    }

    @Test func aThreadInSlackShowsThatAnAnswerIsOnItsWay() async throws {
        try await withHouse { _, _ in
            .json(#"{"ok":true}"#)
        } _: { house, slack in
            // A run of the agent echo is over before a status is there.
            try await eventually {
                let answer = try await ask(house, agent: "documentation")
                #expect(answer.status == 200, "\(answer.body)")
                return slack.requests.contains { $0.body.contains("Finding a response…") }
            }
            let request = try #require(slack.requests.first)
            #expect(request.headers["authorization"] == "Bearer \(Self.token)")
            #expect(request.body.contains(#""channel_id":"C0123ABCD""#), "\(request.body)")
            #expect(request.body.contains(#""thread_ts":"1700000000.000100""#), "\(request.body)")
            let metrics = try await HTTP(house: house).get("/metrics")
            #expect(metrics.body.contains("octavo_slack_statuses{service=\"agent-runner\"}"))
        }
    }

    @Test func aSlackThatHangsOrRefusesHarmsNoAnswer() async throws {
        for answer in [Answer.hangs, .json(#"{"ok":false,"error":"channel_not_found"}"#), .fails(503)] {
            try await withHouse { _, _ in
                answer
            } _: { house, _ in
                let answer = try await ask(house)
                #expect(answer.status == 200 && answer.string("answer") == "How?", "\(answer.body)")
            }
        }
    }

    @Test func withoutATokenAThreadIsRefused() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            let answer = try await ask(house)
            #expect(answer.status == 409 && answer.string("code") == "failed_precondition", "\(answer.body)")
            #expect(answer.string("detail")?.contains("slack-bot-token") == true)
        }
    }
}
