import Logging
import ScriptedProvider
import Synchronization
import Testing

@testable import Agents

@Suite(.serialized) struct OpenAIChatModelTests {
    static let key = "sk-test-0123456789abcdef"

    /// For requests that are to run out of time.
    static let impatient = ProviderTimeouts(firstByte: .milliseconds(80), idle: .milliseconds(80))

    func answer(
        _ answers: Answer...,
        timeouts: ProviderTimeouts = ProviderTimeouts(),
        retries: Int = 2
    ) async throws -> (events: [ModelEvent], requests: Int) {
        try await ScriptedProvider.withServer(answers) { provider in
            let model = try OpenAIChatModel(
                "m",
                baseURL: provider.url,
                key: Self.key,
                settings: ProviderSettings(timeouts: timeouts, retries: retries)
            )
            let events = try await Self.events(of: model)
            return (events, provider.requests.count)
        }
    }

    static func events(of model: some Model) async throws -> [ModelEvent] {
        let (stream, continuation) = AsyncStream<ModelEvent>.makeStream()
        try await model.respond(to: ModelRequest(messages: [.user("?")])) { continuation.yield($0) }
        continuation.finish()
        return await stream.reduce(into: []) { $0.append($1) }
    }

    /// The error, and how many requests it took.
    func failure(
        _ answers: Answer...,
        timeouts: ProviderTimeouts = ProviderTimeouts(),
        retries: Int = 0
    ) async throws -> (error: AgentError?, requests: Int) {
        try await ScriptedProvider.withServer(answers) { provider in
            let model = try OpenAIChatModel(
                "m",
                baseURL: provider.url,
                key: Self.key,
                settings: ProviderSettings(timeouts: timeouts, retries: retries)
            )
            let error = await #expect(throws: AgentError.self) { try await Self.events(of: model) }
            #expect(error?.description.contains("sk-") == false)
            return (error, provider.requests.count)
        }
    }

    static let usage = ModelEvent.usage(Usage(inputTokens: 10, outputTokens: 5))

    // MARK: Answers

    @Test func aStreamedTextComesInItsPieces() async throws {
        let (events, requests) = try await answer(.says("Hel", "lo"))
        #expect(events == [.text("Hel"), .text("lo"), Self.usage, .finish(.stop)])
        #expect(requests == 1)
    }

    @Test func anAnswerComesByteByByte() async throws {
        let (events, _) = try await answer(.says("Grüß ", "dich 🦉").byteByByte)
        #expect(events == [.text("Grüß "), .text("dich 🦉"), Self.usage, .finish(.stop)])
    }

    @Test func anAnswerThatIsNotStreamedIsUnderstood() async throws {
        let (events, _) = try await answer(.saysAtOnce("Hello"))
        #expect(events == [.text("Hello"), Self.usage, .finish(.stop)])
    }

    @Test func parallelToolCallsArePutTogether() async throws {
        let a = ScriptedCall(id: "a", name: "weather", arguments: #"{"city":"Oslo"}"#)
        let b = ScriptedCall(id: "b", name: "search", arguments: #"{"words":["x"]}"#)
        let (events, _) = try await answer(.calls(a, b))
        #expect(
            events == [
                .toolCall(ToolCall(id: "a", name: "weather", arguments: a.arguments)),
                .toolCall(ToolCall(id: "b", name: "search", arguments: b.arguments)), Self.usage, .finish(.toolCalls),
            ]
        )
    }

    @Test func aBodyThatEndsWithItsConnectionIsWholeIfItSaysSo() async throws {
        let text = ChatJSON.chunk(delta: #"{"content":"Yes"}"#)
        let (events, _) = try await answer(
            .eventsUntilClose([text, ChatJSON.chunk(delta: "{}", finishReason: "stop")])
        )
        // Nobody has counted.
        let estimate = Usage(inputTokens: 1, outputTokens: 1, estimated: true)
        #expect(events == [.text("Yes"), .usage(estimate), .finish(.stop)])
        #expect(try await failure(.eventsUntilClose([text])).error?.code == .providerUnavailable)
    }

    @Test func aConnectionIsUsedAgain() async throws {
        try await ScriptedProvider.withServer([.says("One"), .says("Two")]) { provider in
            let model = try OpenAIChatModel("m", baseURL: provider.url)
            _ = try await Self.events(of: model)
            _ = try await Self.events(of: model)
            #expect(provider.connections == 1)
        }
    }

    @Test func aProviderThatDoesNotEndAfterItsLastWordIsLeft() async throws {
        var answer = Answer.says("Hello")
        answer.steps[answer.steps.count - 1] = .hang
        let (events, _) = try await self.answer(answer)
        #expect(events == [.text("Hello"), Self.usage, .finish(.stop)])
    }

    // MARK: Requests

    @Test func theRequestSaysEverythingInAFixedOrder() async throws {
        try await ScriptedProvider.withServer([.says("Hello")]) { provider in
            let model = try OpenAIChatModel("m-1", baseURL: provider.url + "/", key: " \(Self.key)\n")
            let call = ToolCall(id: "1", name: "now", arguments: #"{"a":"\#u{7}"}"#)
            let request = ModelRequest(
                messages: [
                    .system("Be \"brief\"."), .user("?"), .assistant(text: "", toolCalls: [call]),
                    .tool(ToolResult(callID: "1", name: "now", content: "noon")), .assistant(text: "Noon."), .user("!"),
                ],
                tools: [ToolDefinition(name: "now", description: "The time.", parameters: ["type": "object"])],
                options: ModelOptions(temperature: 0.5, maxTokens: 7)
            )
            try await model.respond(to: request) { _ in }
            let sent = try #require(provider.requests.first)
            #expect(sent.method == "POST")
            #expect(sent.path == "/v1/chat/completions")
            #expect(sent.headers["authorization"] == "Bearer \(Self.key)")
            #expect(sent.headers["content-type"] == "application/json")
            #expect(
                sent.body
                    == #"{"model":"m-1","tools":[{"type":"function","function":{"name":"now","description":"The time.","#
                    + #""parameters":{"type":"object"}}}],"messages":[{"role":"system","content":"Be \"brief\"."},"#
                    + #"{"role":"user","content":"?"},{"role":"assistant","content":null,"tool_calls":[{"id":"1","#
                    + #""type":"function","function":{"name":"now","arguments":"{\"a\":\"\u0007\"}"}}]},"#
                    + #"{"role":"tool","tool_call_id":"1","content":"noon"},{"role":"assistant","content":"Noon."},"#
                    + #"{"role":"user","content":"!"}],"stream":true,"stream_options":{"include_usage":true},"#
                    + #""temperature":0.5,"max_tokens":7}"#
            )
        }
    }

    @Test func withoutAKeyNoneIsSent() async throws {
        try await ScriptedProvider.withServer([.says("Hello")]) { provider in
            _ = try await Self.events(of: OpenAIChatModel("m", baseURL: provider.url))
            #expect(provider.requests.first?.headers["authorization"] == nil)
        }
    }

    @Test(arguments: [
        "", "nonsense", "ftp://x/v1", "https://", "https://u:sk-123@x/v1", "https://x/v1?key=sk-123",
        "http://example.com/v1",
        "http://8.8.8.8/v1", "http://172.32.0.1/v1",
    ])
    func anAddressThatCannotBeUsedIsRefusedWithoutRepeatingIt(url: String) {
        let error = #expect(throws: AgentError.self) { try OpenAIChatModel("m", baseURL: url, key: Self.key) }
        #expect(error?.code == .misconfigured)
        #expect(error?.message.contains("sk-") == false)
    }

    @Test(arguments: [
        "https://example.com/v1", "http://localhost:1/v1", "http://127.0.0.1", "http://[::1]:80/v1",
        "http://10.1.2.3/v1",
        "http://172.16.0.1/v1", "http://gpu1/v1", "http://gpu.internal/v1",
    ])
    func aKeyGoesEncryptedOrToOnesOwnServers(url: String) throws {
        _ = try OpenAIChatModel("m", baseURL: url, key: Self.key)
    }

    @Test(arguments: ["", " \n", "two words", "line\r\nbreak: x", "ünïcode"])
    func aKeyThatCannotBeSentIsRefused(key: String) {
        let error = #expect(throws: AgentError.self) { try OpenAIChatModel("m", key: key) }
        #expect(error?.code == .misconfigured)
    }

    // MARK: Secrets

    @Test func theKeyIsNeverInErrorsLogsOrDumps() async throws {
        let lines = Lines()
        var logger = Logger(label: "test") { _ in lines }
        logger.logLevel = .trace
        let echo = #"Incorrect API key provided: \#(Self.key). Yours ends in 89abcdef and begins with sk-test-***"#
        let answers = [400, 401, 403, 429, 500, 500, 500].map { Answer.fails($0, echo, headers: ["retry-after": "0"]) }
        try await ScriptedProvider.withServer(answers + [.events([#"{"error":\#(ChatJSON.quoted(echo))}"#])]) {
            provider in
            let model = try OpenAIChatModel(
                "m",
                baseURL: provider.url,
                key: Self.key,
                settings: ProviderSettings(logger: logger)
            )
            var shown = "\(model) \(String(reflecting: model))"
            dump(model, to: &shown)
            for _ in 0..<5 {
                let error = await #expect(throws: AgentError.self) {
                    try await Agent(model: model, logger: logger).run("?")
                }
                shown += "\(String(describing: error)) \(String(reflecting: error))"
                dump(error, to: &shown)
            }
            shown += lines.text.withLock { $0 }
            #expect(provider.requests.count == 8)
            #expect(shown.contains("asking the provider again"))
            for secret in [Self.key, "0123456789", "89abcdef", "sk-"] { #expect(!shown.contains(secret)) }
        }
    }
}

/// A log kept in memory.
private final class Lines: LogHandler {
    let text = Mutex("")
    var logLevel: Logger.Level {
        get { .trace }
        set {}
    }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        text.withLock { $0 += "\(event.message) \(event.metadata ?? [:])\n" }
    }
}
