import AsyncHTTPClient
import ScriptedProvider
import Testing

@testable import Slack

/// The client against a Slack that plays a script, over real HTTP.
@Suite(.serialized) struct SlackClientTests {
    private static let token = "xoxb-1234-not-a-real-one"
    private static let http = HTTPClient(
        eventLoopGroupProvider: .singleton,
        configuration: HTTPClient.Configuration(redirectConfiguration: .disallow)
    )

    private func failure(
        _ answer: Answer,
        _ body: (SlackError) throws -> Void
    ) async throws {
        try await ScriptedProvider.withServer([answer]) { slack in
            let client = try SlackClient(token: Self.token, baseURL: slack.url, client: Self.http)
            let error = await #expect(throws: SlackError.self) {
                try await client.setStatus("Working…", channel: "C1", thread: "1.000001")
            }
            try body(try #require(error))
        }
    }

    @Test func aStatusIsSetUnderAThread() async throws {
        try await ScriptedProvider.withServer([.json(#"{"ok":true}"#)]) { slack in
            let client = try SlackClient(token: " \(Self.token)\n", baseURL: slack.url + "/", client: Self.http)
            try await client.setStatus("Finding \"it\"…", channel: "C1", thread: "1.000001")
            let request = slack.requests[0]
            #expect(request.path == "/v1/assistant.threads.setStatus" && request.method == "POST")
            #expect(request.headers["authorization"] == "Bearer \(Self.token)")
            #expect(request.headers["content-type"] == "application/json; charset=utf-8")
            for member in [#""channel_id":"C1""#, #""thread_ts":"1.000001""#, #""status":"Finding \"it\"…""#] {
                #expect(request.body.contains(member), "\(request.body)")
            }
        }
    }

    @Test func whatSlackRefusesIsToldInItsOwnWord() async throws {
        try await failure(.json(#"{"ok":false,"error":"channel_not_found"}"#)) { error in
            #expect(error.code == .refused && error.word == "channel_not_found")
            #expect(error.description.contains("channel_not_found"))
        }
    }

    @Test func aWordThatIsNoneDoesNotReachTheLog() async throws {
        try await failure(.json(#"{"ok":false,"error":"no\nsuch <thing>"}"#)) { #expect($0.word == "nosuchthing") }
        try await failure(.json(#"{"ok":false}"#)) { #expect($0.word == "") }
    }

    @Test func aMethodThatSlackWantsLeftAloneIsLeftAloneByAll() async throws {
        try await ScriptedProvider.withServer([.rateLimited(retryAfter: "30")]) { slack in
            let client = try SlackClient(token: Self.token, baseURL: slack.url, client: Self.http)
            for _ in 0..<2 {
                let error = await #expect(throws: SlackError.self) {
                    try await client.setStatus("…", channel: "C1", thread: "1.000001")
                }
                #expect(error?.code == .limited)
            }
            #expect(slack.requests.count == 1)
        }
    }

    @Test(arguments: [Answer.page, .fails(500), .fails(302), .endlessError, .json("[]"), .json(#"{"ok":1}"#)])
    func whatIsNoAnswerOfSlacksIsSaid(answer: Answer) async throws {
        try await failure(answer) { #expect($0.code == .invalidAnswer, "\($0)") }
    }

    @Test func aSlackThatHangsUpIsNotReached() async throws {
        try await failure(.hangsUp) { error in
            #expect(error.code == .unreachable && !error.description.contains(Self.token))
        }
    }

    @Test(arguments: ["", "  \n", "xoxb 1", "xoxb\u{7}-1", "xoxb-ü"])
    func aTokenThatCannotBeSentIsRefused(token: String) {
        #expect(throws: SlackError.self) { try SlackClient(token: token, client: Self.http) }
    }

    @Test(arguments: [
        "http://slack.com/api", "ftp://slack.com", "slack.com/api", "https://u:p@slack.com/api", "https://slack.com/?a",
        "https://slack.com/#a", "http://127.0.0.1.example.com", "",
    ])
    func theTokenIsSentNowhereInTheClear(url: String) {
        let error = #expect(throws: SlackError.self) {
            try SlackClient(token: Self.token, baseURL: url, client: Self.http)
        }
        #expect(error?.code == .misconfigured)
    }

    @Test func theTokenIsNotPrinted() throws {
        let token = try #require(SlackToken(Self.token))
        var text = "\(token) \(String(reflecting: token))"
        dump(token, to: &text)
        dump(try SlackClient(token: Self.token, client: Self.http), to: &text)
        #expect(!text.contains(Self.token))
    }
}
