import FoundationEssentials
import ScriptedProvider
import Testing

@testable import Agents

@Suite(.serialized) struct ProvidersTests {
    private static let providers = Providers(
        Provider.known + [Provider("house", .responses, baseURL: "http://gpu.internal/v1")],
        keys: ["openai": "sk-1", "anthropic": "sk-2"]
    )

    @Test func aModelIsFoundByItsName() throws {
        let chat = try Self.providers.model("openai:gpt-5-mini")
        #expect(chat is OpenAIChatModel && chat.qualifiedName == "openai:gpt-5-mini")
        #expect(!chat.capabilities.sampling && chat.capabilities.tokenLimit == .new)
        #expect(try Self.providers.model("anthropic:claude-sonnet-4-5") is AnthropicModel)
        #expect(try Self.providers.model("house:gpt-oss") is OpenAIResponsesModel)
        #expect(try Self.providers.model("ollama:qwen3:8b").name == "qwen3:8b")
        #expect(try Self.providers.model("openai:a", fallbacks: ["ollama:b"]) is FallbackModel)
        #expect(try Self.providers.embeddingModel("openai:text-embedding-3-small").name == "text-embedding-3-small")
    }

    @Test(arguments: [
        ("gpt-5", "provider:model"), ("openai:", "provider:model"), ("antropic:claude", "anthropic"),
        ("groq:llama", "GROQ_API_KEY"), ("", "provider:model"),
    ])
    func aNameThatCannotBeUsedIsRefusedWithAWayOut(name: String, hint: String) {
        let error = #expect(throws: AgentError.self) { try Self.providers.model(name) }
        #expect(error?.code == .misconfigured)
        #expect(error?.message.contains(hint) == true)
    }

    @Test func embeddingsComeInOrderAndInBatches() async throws {
        let answers = [128, 2].map { count in Answer.embeddings((0..<count).map { [Double($0), 0.5] }, tokens: count) }
        try await ScriptedProvider.withServer(answers) { provider in
            let model = try OpenAIEmbeddingModel("text-embedding-3-small", baseURL: provider.url, key: "sk-1")
            let embeddings = try await model.embed((0..<130).map { "text \($0)" })
            #expect(embeddings.vectors.count == 130 && embeddings.vectors[129] == [1, 0.5])
            #expect(embeddings.usage == Usage(inputTokens: 130, microdollars: 4))
            #expect(provider.requests.map(\.path) == ["/v1/embeddings", "/v1/embeddings"])
        }
    }

    @Test(arguments: [
        Answer.embeddings([[1]]), .embeddings([[1], [1, 2]]), .json("{}"), .json(#"{"error":{"message":"no"}}"#), .page,
        .fails(400, "no"),
    ])
    func embeddingsThatAreNoneAreRefused(answer: Answer) async throws {
        try await ScriptedProvider.withServer([answer]) { provider in
            let model = try OpenAIEmbeddingModel("m", baseURL: provider.url, settings: ProviderSettings(retries: 0))
            await #expect(throws: AgentError.self) { try await model.embed(["a", "b"]) }
        }
    }
}

@Suite(.serialized) struct KnownModelTests {
    @Test(arguments: [
        ("gpt-5-mini-2025-08-07", "gpt-5-mini"), ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ("claude-3-5-haiku-latest", "claude-3-5-haiku"), ("gpt-4.1", "gpt-4.1"), ("", ""), ("2025-08-07", "2025-08-07"),
    ])
    func theDateIsNoPartOfAName(name: String, model: String) {
        #expect(KnownModel.withoutDate(name) == model)
    }

    @Test func theLongestBeginningCounts() {
        func known(_ name: String, _ provider: String, isAtHome: Bool = true) -> ModelCapabilities {
            KnownModel.named(name, of: provider, isAtHome: isAtHome).capabilities
        }
        #expect(known("gpt-5-mini", "openai").leastEffort == "minimal")
        #expect(known("gpt-5.1", "openai-responses").leastEffort == "none")
        #expect(known("claude-sonnet-4-5", "anthropic").thinking == .budget)
        #expect(known("claude-opus-4-6", "anthropic").thinking == .adaptive)
        #expect(known("claude-of-tomorrow", "anthropic").thinking == .adaptive)
        // A server of your own may call its models what it likes.
        #expect(known("qwen3", "openai", isAtHome: false) == ModelCapabilities())
        #expect(known("qwen3", "openai").tokenLimit == .new)
    }

    @Test func aPriceIsForOneModelAndSaysItsDay() throws {
        #expect(KnownModel.named("gpt-5-mini-2025-08-07", of: "openai", isAtHome: true).price?.input == 250_000)
        #expect(KnownModel.named("gpt-5-mini-of-tomorrow", of: "openai", isAtHome: true).price == nil)
        for price in KnownModel.prices.values.flatMap(\.values) {
            #expect(price.asOf.count == 10 && price.cachedInput <= price.input && price.input <= price.cacheWrite)
        }
    }

    @Test func cachedTokensCostLessAndWrittenOnesMore() {
        let price = Price(
            input: 3_000_000,
            cachedInput: 300_000,
            cacheWrite: 3_750_000,
            output: 15_000_000,
            asOf: "2026-10-10"
        )
        let usage = Usage(inputTokens: 1000, cachedInputTokens: 600, cacheWriteTokens: 100, outputTokens: 10)
        #expect(price.microdollars(for: usage) == 900 + 180 + 375 + 150)
        #expect(price.microdollars(for: Usage(inputTokens: .max, outputTokens: .max)) == .max)
        #expect(price.microdollars(for: Usage(inputTokens: 1, cachedInputTokens: 9)) == 1)
    }

    @Test func aSumWithSomethingOfUnknownPriceHasNone() {
        let (known, unknown) = (Usage(inputTokens: 1, microdollars: 5), Usage(inputTokens: 1))
        #expect((known + known).microdollars == 10)
        #expect((known + unknown).microdollars == nil)
        #expect((Usage() + known + Usage()).microdollars == 5)
    }

    @Test func whatAnAnswerCostIsInItsUsage() async throws {
        try await ScriptedProvider.withServer(saying: [
            ScriptedAnswer("x", usage: ScriptedUsage(input: 1000, output: 100))
        ]) {
            provider in
            let model = try AnthropicModel("claude-haiku-4-5", baseURL: provider.url, key: "sk-1")
            #expect(try await Agent(model: model).run("?").usage.microdollars == 1500)
        }
    }

    @Test func moneyIsLimited() async throws {
        let answer = ScriptedAnswer(calls: [ScriptedCall(id: "1", name: "weather", arguments: #"{"city":"x"}"#)])
        try await ScriptedProvider.withServer(saying: [answer, answer, answer]) { provider in
            let dear = try AnthropicModel("claude-opus-5", baseURL: provider.url, key: "sk-1")
            var agent = Agent(model: dear, tools: [try AgentTests.weather()], limits: AgentLimits(microdollars: 300))
            let error = await #expect(throws: AgentError.self) { try await agent.run("?") }
            #expect(error?.code == .limitReached)
            // 10 tokens in and 5 out at 5 and 25 dollars a million: 175 each time.
            #expect(provider.requests.count == 2)
            agent.model = try OpenAIChatModel("unpriced", baseURL: provider.url)
            let unpriced = await #expect(throws: AgentError.self) { try await agent.run("?") }
            #expect(unpriced?.code == .misconfigured)
        }
    }
}
