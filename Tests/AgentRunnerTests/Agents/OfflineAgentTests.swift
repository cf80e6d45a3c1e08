import AgentFiles
import Agents
import Configuration
import Contract
import Logging
import RPC
import Synchronization
import Testing
import Wire

@testable import AgentRunner

/// Agents without a model's provider: what they can do by words alone, and what they own up to.
@Suite struct OfflineAgentTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func classifier(several: Bool = false) throws -> ClassifierAgent {
        let text = """
            classify:
              several: \(several)
              categories:
                billing: Invoices, payments and refunds.
                fault: Something is broken or does not start.
            """
        let file = try AgentFile(text, name: "triage", file: "triage.yaml")
        guard case .classify(let task) = file.task else { throw WrongTask() }
        return ClassifierAgent(file: file, task: task, logger: logger)
    }

    private struct WrongTask: Error {}

    private func run(_ agent: any RunnableAgent, _ text: String) async throws -> Outcome {
        try await agent.answer(Question(text: text, channel: .http), steps: nil, trace: TraceParent()) { _ in }
    }

    @Test func wordsInCommonMakeALabel() async throws {
        let outcome = try await run(try classifier(), "I was sent two invoices and want a refund of one payment.")
        #expect(outcome.model == "lexical")
        #expect(outcome.output?.member("labels")?.elements?.first?.member("category")?.string == "billing")
        #expect(outcome.answer?.hasPrefix("billing (") == true)
    }

    @Test func noWordInCommonIsNoLabelAndFewAreALowNumber() throws {
        guard case .classify(let task) = try classifier().file.task else { throw WrongTask() }
        let classifier = LexicalClassifier(task.categories)
        #expect(classifier.labels(of: "Greetings from the sea.") == [])
        let weak = classifier.labels(of: "An invoice.")
        #expect(weak.map(\.category) == ["billing"] && weak[0].confidence <= 0.5)
        let strong = classifier.labels(of: "Invoices, payments, refunds, billing.")
        #expect(strong[0].confidence > weak[0].confidence && strong[0].confidence < 1)
    }

    @Test func severalLabelsAreGivenWhenAsked() async throws {
        let text = "The payment page is broken and does not start."
        #expect(try await run(try classifier(several: true), text).output?.member("labels")?.elements?.count == 2)
        #expect(try await run(try classifier(), text).output?.member("labels")?.elements?.count == 1)
    }

    @Test func aSummaryQuotesWhatSaysMost() async throws {
        let text = """
            Unused holidays are carried over until the end of March. The weather was fine. The setting carry_over_limit caps \
            carried holidays at ten. Carried holidays that are unused in April lapse.
            """
        let agent = SummariserAgent(task: .init(sentences: 2), logger: logger)
        let outcome = try await run(agent, text)
        #expect(outcome.model == "extractive")
        #expect(outcome.answer?.contains("weather") == false)
        let sentences = try #require(outcome.output?.member("sentences")?.elements)
        #expect(sentences.count == 2)
        let scalars = Array(text.unicodeScalars)
        for sentence in sentences {
            let source = try #require(sentence.member("sources")?.elements?.first)
            let start = try #require(source.member("start")?.integer)
            let end = try #require(source.member("end")?.integer)
            #expect(String(String.UnicodeScalarView(scalars[start..<end])) == source.member("quote")?.string)
        }
    }

    @Test(arguments: ["x", "!?", "a b c", "- one\n- two\n- three", "日本語のテキスト。これは二つ目の文です。"])
    func whateverTheTextThereIsASummary(_ text: String) {
        #expect(!ExtractiveSummary(of: text, sentences: 1).summary.sentences.isEmpty || text == "!?")
    }

    @Test func severalAgentsAreOneTree() async throws {
        let file = try AgentFile(
            "together: {agents: [triage, summariser]}",
            name: "desk",
            file: "desk.yaml"
        )
        let inner = TogetherAgent(file: file, parts: [("triage", try classifier())], failsFast: false)
        let summariser = SummariserAgent(task: .init(sentences: 1), logger: logger)
        let agent = TogetherAgent(file: file, parts: [("inner", inner), ("summariser", summariser)], failsFast: false)
        let ended = Mutex<[String]>([])
        let question = Question(text: "The invoice is wrong.", channel: .http)
        let outcome = try await agent.answer(question, steps: nil, trace: TraceParent()) { event in
            if case .part(let name, _) = event { ended.withLock { $0.append(name) } }
        }
        #expect(outcome.state == .succeeded)
        #expect(Set(ended.withLock { $0 }) == ["inner", "summariser"])
        #expect(Set(outcome.timeline.map(\.name)) == ["agent/inner", "agent/inner/triage", "agent/summariser"])
        #expect(outcome.output?.member("summariser")?.member("answer")?.string == "The invoice is wrong.")
    }

    @Test func theWholeFailsWhenAllPartsHave() async throws {
        struct Failing: RunnableAgent {
            let modelName = "failing"
            var error = ServiceError.failedPrecondition("Refused.")
            func answer(
                _ question: Question,
                steps: Steps?,
                trace: TraceParent,
                emit: @escaping @Sendable (RunEvent.Body) throws -> Void
            ) async throws -> Outcome { throw error }
        }
        let file = try AgentFile("together: {agents: [a, b]}", name: "desk", file: "desk.yaml")
        let summariser = SummariserAgent(task: .init(sentences: 1), logger: logger)
        let failed = try await run(TogetherAgent(file: file, parts: [("a", Failing())], failsFast: false), "x")
        #expect(failed.state == .failed && failed.error?.message == "Refused.")
        // Unless one of them may pass: then it is tried again.
        let inner = TogetherAgent(file: file, parts: [("c", Failing())], failsFast: false)
        let away: [(name: String, agent: any RunnableAgent)] = [
            ("a", Failing()), ("inner", inner), ("b", Failing(error: .unavailable("Away."))),
        ]
        await #expect(throws: ServiceError.unavailable("Away.")) {
            try await run(TogetherAgent(file: file, parts: away, failsFast: false), "x")
        }
        let mixed: [(name: String, agent: any RunnableAgent)] = [("a", Failing()), ("b", summariser)]
        #expect(try await run(TogetherAgent(file: file, parts: mixed, failsFast: false), "x").state == .succeeded)
        await #expect(throws: ServiceError.self) {
            try await run(TogetherAgent(file: file, parts: mixed, failsFast: true), "x")
        }
    }

    @Test func theAgentsThatAreBuiltInAreThoseThatFilesAreCheckedAgainst() throws {
        let storage = RPCClient(path: "/nowhere", role: .agentRunner, name: "storage", logger: logger)
        let provider = try ModelProvider(
            ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: [:]))
        )
        let builder = AgentBuilder(provider: provider, storage: storage, logger: logger)
        #expect(Set(builder.agents.keys) == AgentFolder.builtIn)
    }

    @Test(arguments: [
        ([:], "extractive"), (["OPENAI_API_KEY": "k"], "openai"),
        (["OPENAI_API_KEY": "k", "OCTAVO_MODEL": "openai:a,openai:b"], "openai"),
        (["OPENAI_API_KEY": "k", "OCTAVO_MODEL": "openai:a,ollama:b"], "ollama, openai"),
    ])
    func agentsOfOneProviderAreHeldTogetherWhateverTheirModels(settings: [String: String], name: String) throws {
        let storage = RPCClient(path: "/nowhere", role: .agentRunner, name: "storage", logger: logger)
        let provider = try ModelProvider(
            ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: settings))
        )
        let builder = AgentBuilder(provider: provider, storage: storage, logger: logger)
        #expect(builder.agents["documentation"]?.providerName == name)
        #expect(builder.agents["summariser"]?.providerName == name)
    }
}
