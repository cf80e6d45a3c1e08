import ScriptedProvider
import Testing

@testable import Agents

/// Models of all APIs over a real socket.
@Suite(.serialized) struct ProviderModelTests {
    static func model(
        _ api: ScriptedAPI,
        _ provider: ScriptedProvider,
        name: String = "m",
        capabilities: ModelCapabilities? = nil,
        settings: ProviderSettings = ProviderSettings()
    ) throws -> any Model {
        let key = OpenAIChatModelTests.key
        return switch api {
        case .chat:
            try OpenAIChatModel(name, baseURL: provider.url, key: key, capabilities: capabilities, settings: settings)
        case .responses:
            try OpenAIResponsesModel(
                name,
                baseURL: provider.url,
                key: key,
                capabilities: capabilities,
                settings: settings
            )
        case .messages:
            try AnthropicModel(name, baseURL: provider.url, key: key, capabilities: capabilities, settings: settings)
        }
    }

    private static let weather = ScriptedCall(id: "a", name: "weather", arguments: #"{"city":"Oslo"}"#)

    @Test(arguments: ScriptedAPI.allCases, [true, false])
    func anAnswerIsTheSameStreamedOrNot(api: ScriptedAPI, streams: Bool) async throws {
        let answer = ScriptedAnswer(
            "It ",
            "is.",
            thinking: ["Hm."],
            calls: [Self.weather, ScriptedCall(id: "b", name: "time", arguments: "{}")],
            usage: ScriptedUsage(input: 10, output: 5, cached: 4)
        )
        try await ScriptedProvider.withServer(saying: [answer]) { provider in
            let model = try Self.model(api, provider, settings: ProviderSettings(streams: streams))
            let told = try await model.answer(ModelRequest(messages: [.user("?")]))
            #expect(told.text == "It is.")
            #expect(told.toolCalls.map(\.id) == ["a", "b"])
            #expect(told.thinking.map(\.text) == ["Hm."])
            #expect(told.usage == Usage(inputTokens: 10, cachedInputTokens: 4, outputTokens: 5))
            #expect(told.finishReason == .toolCalls)
            let isStreamed = try #require(provider.requests.first).body.contains(#""stream":true"#)
            #expect(isStreamed == streams)
        }
    }

    @Test(arguments: ScriptedAPI.allCases)
    func aRunWithToolsAndThinkingGoesThrough(api: ScriptedAPI) async throws {
        let answers = [
            ScriptedAnswer("Let me look.", thinking: ["Hm."], calls: [Self.weather]), ScriptedAnswer("21 °C."),
        ]
        try await ScriptedProvider.withServer(saying: answers) { provider in
            let model = try Self.model(api, provider, capabilities: ModelCapabilities(thinking: .effort))
            let agent = Agent(model: model, instructions: "Be brief.", tools: [try AgentTests.weather()])
            let result = try await agent.run("How warm?")
            #expect(result.output == "21 °C.")
            #expect(result.usage.totalTokens == 30)
            let second = try #require(provider.requests.last).body
            #expect(second.contains("21 in Oslo") && second.contains("Let me look."))
            // Sealed thinking goes back to whoever sealed it.
            #expect(second.contains("sealed") == (api != .chat))
        }
    }

    @Test(arguments: ScriptedAPI.allCases, [OutputMode.tool, .native, .prompted])
    func anOutputComesInEveryModeOverEveryAPI(api: ScriptedAPI, mode: OutputMode) async throws {
        let answer =
            mode == .tool
            ? ScriptedAnswer(calls: [ScriptedCall(id: "1", name: "answer", arguments: OutputTests.json)])
            : ScriptedAnswer(OutputTests.json)
        let wrong = ScriptedAnswer("I would say warm.")
        try await ScriptedProvider.withServer(saying: [wrong, answer]) { provider in
            let output = try AgentOutput(OutputTests.Weather.self, mode: mode)
            let result = try await Agent(model: try Self.model(api, provider), output: output).run("?")
            #expect(result.output == OutputTests.oslo)
            let body = try #require(provider.requests.first).body
            #expect(body.contains(#""celsius":{"type":"integer"}"#) || body.contains(#"celsius\":{\"type\":\"integer"#))
            #expect(body.contains(#""json_schema""#) == (mode == .native))
        }
    }

    @Test(arguments: ScriptedAPI.allCases)
    func picturesAreShown(api: ScriptedAPI) async throws {
        try await ScriptedProvider.withServer(saying: [ScriptedAnswer("A dot.")]) { provider in
            let image = try Image([1, 2, 3], mediaType: "image/png")
            _ = try await Agent(model: try Self.model(api, provider)).run(
                "What is it?",
                images: [image, Image(url: "https://x/y")]
            )
            let body = try #require(provider.requests.first).body
            #expect(body.contains("AQID") && body.contains("https://x/y") && body.contains("What is it?"))
        }
    }

    @Test func whatAModelCannotDoIsRefusedBeforeAnythingIsSent() async throws {
        try await ScriptedProvider.withServer([]) { provider in
            let blind = try Self.model(.chat, provider, capabilities: ModelCapabilities(tools: false, images: false))
            let seeing = await #expect(throws: AgentError.self) {
                try await Agent(model: blind).run("?", images: [Image(url: "https://x/y")])
            }
            #expect(seeing?.code == .misconfigured)
            let calling = await #expect(throws: AgentError.self) {
                try await Agent(model: blind, tools: [try AgentTests.weather()]).run("?")
            }
            #expect(calling?.code == .misconfigured)
            #expect(provider.requests.isEmpty)
        }
    }

    @Test(arguments: ["image/tiff", ""]) func aPictureNobodyTakesIsRefused(mediaType: String) {
        #expect(throws: AgentError.self) { try Image([1], mediaType: mediaType) }
        #expect(throws: AgentError.self) {
            try Image(Array(repeating: 0, count: Image.limit + 1), mediaType: "image/png")
        }
    }

    // MARK: Faults

    private static func failure(_ api: ScriptedAPI, _ answers: [Answer], retries: Int = 0) async throws
        -> (error: AgentError?, requests: Int)
    {
        try await ScriptedProvider.withServer(answers) { provider in
            let model = try model(api, provider, settings: ProviderSettings(retries: retries))
            let error = await #expect(throws: AgentError.self) {
                try await model.answer(ModelRequest(messages: [.user("?")]))
            }
            #expect(error?.description.contains("sk-") == false)
            return (error, provider.requests.count)
        }
    }

    private static let overloaded: [ScriptedAPI: String] = [
        .chat: "data: {\"error\":{\"message\":\"busy\",\"code\":503}}\n\n",
        .responses: ResponsesJSON.event(
            "response.failed",
            #""response":{"status":"failed","error":{"code":"server_error","message":"busy"}}"#
        ),
        .messages: MessagesJSON.event("error", #""error":{"type":"overloaded_error","message":"busy"}"#),
    ]

    @Test(arguments: ScriptedAPI.allCases)
    func anErrorInTheStreamIsOneAndTriedAgain(api: ScriptedAPI) async throws {
        let busy = Answer.stream(try #require(Self.overloaded[api]))
        let (error, requests) = try await Self.failure(api, [busy, busy], retries: 1)
        #expect(error == AgentError(.providerUnavailable, "The provider failed. It said: busy"))
        #expect(requests == 2)
    }

    @Test(arguments: ScriptedAPI.allCases)
    func whatIsThoughtAloudDoesNotHinderATry(api: ScriptedAPI) async throws {
        let stream = ScriptedAnswer("Yes.", thinking: ["Hm."]).stream(as: api)
        let thoughts = stream.firstRange(of: api == .chat ? "\"content\"" : "Yes.")
        let begun = String(stream[..<(try #require(thoughts)).lowerBound])
        let cut = begun[..<(try #require(begun.ranges(of: "\n\n").last)).upperBound]
        try await ScriptedProvider.withServer([
            .stream(String(cut) + (try #require(Self.overloaded[api]))), ScriptedAnswer("Yes.").answer(as: api),
        ]) { provider in
            let model = try Self.model(api, provider)
            #expect(try await model.answer(ModelRequest(messages: [.user("?")])).text == "Yes.")
        }
    }

    @Test(arguments: ScriptedAPI.allCases, [401, 403, 404, 429, 500, 529])
    func statusesHaveTheirMeaning(api: ScriptedAPI, status: Int) async throws {
        let (error, _) = try await Self.failure(api, [.fails(status, "Your key \(OpenAIChatModelTests.key) is wrong")])
        let expected: AgentError.Code =
            status == 429 ? .rateLimited : status >= 500 ? .providerUnavailable : .providerRefused
        #expect(error?.code == expected)
    }

    @Test(arguments: ScriptedAPI.allCases)
    func whatIsNoAnswerIsInvalid(api: ScriptedAPI) async throws {
        for answer in [
            Answer.page, .events(["nonsense"]), .json("[]"), .json("{}"), .stream("\n\n"), .json(#"{"a":1}"#),
        ] {
            #expect(try await Self.failure(api, [answer]).error?.code == .invalidAnswer)
        }
    }
}
