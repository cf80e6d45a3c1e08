import ScriptedProvider
import Testing

@testable import Agents

@Suite(.serialized) struct FallbackModelTests {
    private static let down = AgentError(.providerUnavailable, "Down.")

    /// Besides which model it was.
    private func events(_ model: FallbackModel) async throws -> [ModelEvent] {
        try await OpenAIChatModelTests.events(of: model).filter { if case .model = $0 { false } else { true } }
    }

    /// As far as anybody knows before asking.
    @Test func whoStandsInForOthersMayBeAskedWhileOneOfThemMay() async throws {
        try await ScriptedProvider.withServer([.rateLimited(retryAfter: "60")]) { provider in
            let held = try OpenAIChatModel("m", baseURL: provider.url)
            _ = try? await Agent(model: held).run("?")
            try FallbackModel(held, [ScriptedModel(.says("Yes."))]).check()
            let refusal = #expect(throws: AgentError.self) { try FallbackModel(held, [held]).check() }
            #expect(refusal?.code == .rateLimited)
        }
    }

    @Test(arguments: [AgentError.Code.providerUnavailable, .rateLimited, .timedOut, .providerRefused, .invalidAnswer])
    func afterAnErrorTheNextIsAsked(code: AgentError.Code) async throws {
        let model = FallbackModel(ScriptedModel(.fails(AgentError(code, "No."))), [ScriptedModel(.says("Yes."))])
        #expect(try await events(model) == [.text("Yes."), .finish(.stop)])
    }

    @Test func allProvidersThatMayBeAskedAreNamed() throws {
        let providers = Providers(keys: [:])
        let model = try providers.model("ollama:a", fallbacks: ["vllm:b", "ollama:c"])
        #expect(model.provider == "ollama" && model.providers == ["ollama", "vllm", "ollama"])
        #expect(ScriptedModel().providers == [])
    }

    @Test func whatWasSeenIsNotTakenBack() async throws {
        let first = ScriptedModel(.init([.text("Ye")], error: Self.down))
        let second = ScriptedModel(.says("No."))
        await #expect(throws: Self.down) { try await events(FallbackModel(first, [second])) }
        #expect(second.requests.isEmpty)
    }

    @Test func thinkingBeforeTheFirstTextIsNoHindrance() async throws {
        let first = ScriptedModel(
            .init([.thinking("Hm"), .thought(Thinking("Hm")), .usage(Usage(inputTokens: 3))], error: Self.down)
        )
        let model = FallbackModel(first, [ScriptedModel(.init([.text("Yes."), .usage(Usage(inputTokens: 4))]))])
        let answer = try await model.answer(ModelRequest(messages: [.user("?")]))
        #expect(answer.text == "Yes." && answer.thinking.isEmpty)
        #expect(answer.usage.inputTokens == 7)
    }

    @Test(arguments: [
        ScriptedModel.Turn([.finish(.stop)]), .init([.finish(.contentFilter)]),
        .init([.thinking("Hm"), .finish(.length)]),
    ])
    func afterAnEmptyOrWithheldAnswerTheNextIsAsked(turn: ScriptedModel.Turn) async throws {
        let model = FallbackModel(ScriptedModel(turn), [ScriptedModel(.says("Yes."))])
        #expect(try await events(model).suffix(2) == [.text("Yes."), .finish(.stop)])
    }

    @Test func aJudgeSeesAnswersBeforeTheReader() async throws {
        let model = FallbackModel(
            ScriptedModel(.says("As an AI", ", I cannot.")),
            [ScriptedModel(.calls(AgentTests.call("1")))],
            accepting: { !$0.text.contains("As an AI") }
        )
        #expect(try await events(model) == [.toolCall(AgentTests.call("1")), .finish(.toolCalls)])
        let pleased = FallbackModel(ScriptedModel(.says("a", "b")), [ScriptedModel()], accepting: { _ in true })
        #expect(try await events(pleased) == [.text("a"), .text("b"), .finish(.stop)])
    }

    @Test func theLastWordIsTheLastModels() async throws {
        let last = AgentError(.rateLimited, "Slow.")
        await #expect(throws: last) {
            try await events(FallbackModel(ScriptedModel(.fails(Self.down)), [ScriptedModel(.fails(last))]))
        }
        let rejected = FallbackModel(ScriptedModel(.says("a")), [ScriptedModel(.says("b"))], accepting: { _ in false })
        #expect(try await events(rejected).first == .text("b"))
    }

    @Test func whoAnsweredIsTold() async throws {
        struct Named: Model {
            let name: String
            let model: ScriptedModel

            func respond(
                to request: ModelRequest,
                emit: @escaping @Sendable (ModelEvent) async throws -> Void
            ) async throws {
                try await model.respond(to: request, emit: emit)
            }
        }
        let silent = Named(name: "silent", model: ScriptedModel(.says("")))
        let small = Named(name: "small", model: ScriptedModel(.says("No.")))
        let large = Named(name: "large", model: ScriptedModel(.says("Yes.")))
        let nested = FallbackModel(silent, [FallbackModel(small, [large], accepting: { $0.text != "No." })])
        #expect(try await Agent(model: nested).run("?").model == "large")
        let first = FallbackModel(Named(name: "first", model: ScriptedModel(.says("Yes."))), [large])
        #expect(try await Agent(model: first).run("?").model == "first")
    }

    @Test func whatTheReaderThrowsEndsItAll() async {
        struct Full: Error {}
        let second = ScriptedModel(.says("b"))
        let agent = Agent(model: FallbackModel(ScriptedModel(.says("a")), [second]))
        await #expect(throws: Full.self) { try await agent.run("?") { _ in throw Full() } }
        #expect(second.requests.isEmpty)
    }

    @Test func acrossProvidersAndTheirAPIs() async throws {
        try await ScriptedProvider.withServer(answering: { request, position in
            position == 0 ? .fails(529, "busy") : ScriptedAnswer("Yes.").answer(to: request)
        }) { provider in
            let claude = try AnthropicModel("m", baseURL: provider.url, settings: ProviderSettings(retries: 0))
            let model = FallbackModel(claude, [try OpenAIResponsesModel("second", baseURL: provider.url)])
            let result = try await Agent(model: model).run("?")
            #expect(result.output == "Yes." && result.model == "second")
            #expect(provider.requests.map(\.path) == ["/v1/messages", "/v1/responses"])
        }
    }

    @Test func whatAllCanIsWhatItCan() {
        struct Limited: Model {
            let name = "limited"
            let capabilities = ModelCapabilities(tools: false, images: false)
            func respond(to: ModelRequest, emit: @escaping @Sendable (ModelEvent) async throws -> Void) async throws {}
        }
        let capabilities = FallbackModel(ScriptedModel(), [Limited()]).capabilities
        #expect(!capabilities.tools && !capabilities.images && capabilities.nativeSchema)
    }
}
