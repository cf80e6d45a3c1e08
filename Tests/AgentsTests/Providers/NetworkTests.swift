import FoundationEssentials
import ScriptedProvider
import Testing

@testable import Agents

@Suite(.serialized) struct NetworkAccessTests {
    @Test func nobodyIsAskedWhereThatIsForbidden() async throws {
        try await ScriptedProvider.withServer([.says("Hello")]) { provider in
            let near = Agent(model: try OpenAIChatModel("m", baseURL: provider.url))
            let far = Agent(model: try OpenAIChatModel("m", baseURL: "https://llm.example.com/v1", key: "sk-1"))
            await NetworkAccess.restricted(to: .nowhere) {
                #expect(await code(near) == .misconfigured)
                // What is forbidden cannot be allowed further in.
                await NetworkAccess.restricted(to: .everywhere) { #expect(await code(near) == .misconfigured) }
            }
            #expect(provider.requests.isEmpty)
            await NetworkAccess.restricted(to: .loopback) {
                #expect(await code(near) == nil)
                #expect(await code(far) == .misconfigured)
            }
        }
    }

    /// Nil when the agent answered.
    private func code(_ agent: Agent<String>) async -> AgentError.Code? {
        do {
            try await agent.run("?")
            return nil
        } catch {
            return (error as? AgentError)?.code
        }
    }
}

@Suite(.serialized) struct CassetteTests {
    private let path = "/tmp/octavo-cassette-\(UInt32.random(in: 0 ... .max)).jsonl"

    @Test(arguments: ScriptedAPI.allCases)
    func whatWasRecordedIsPlayedBackWithoutTheNetwork(api: ScriptedAPI) async throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let answers = [
            ScriptedAnswer(calls: [ScriptedCall(id: "1", name: "weather", arguments: #"{"city":"Oslo"}"#)]),
            ScriptedAnswer("21 ", "°C", thinking: ["Hm"]),
        ]
        var settings = ProviderSettings()
        func agent(_ provider: ScriptedProvider) throws -> Agent<String> {
            Agent(
                model: try ProviderModelTests.model(api, provider, settings: settings),
                tools: [try AgentTests.weather()]
            )
        }
        try await ScriptedProvider.withServer(saying: answers) { provider in
            settings.cassette = try Cassette(path, .record)
            let recorded = try await agent(provider).run("My key is \(OpenAIChatModelTests.key)")
            #expect(recorded.output == "21 °C" && provider.requests.count == 2)
            settings.cassette = try Cassette(path, .replay)
            let replayed = try await NetworkAccess.restricted(to: .nowhere) {
                try await agent(provider).run("My key is (removed)")
            }
            #expect(replayed.output == recorded.output && replayed.usage == recorded.usage)
            #expect(provider.requests.count == 2)
            // Each answer is given once, and only to the same request.
            let error = await #expect(throws: AgentError.self) { try await agent(provider).run("?") }
            #expect(error?.code == .misconfigured)
        }
    }

    @Test func noKeyIsInTheFile() async throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let key = OpenAIChatModelTests.key
        let echo = Answer.fails(400, "Incorrect key \(key)")
        try await ScriptedProvider.withServer([echo, .says("Your key is \(key).")]) { provider in
            let settings = ProviderSettings(cassette: try Cassette(path, .record))
            let model = try OpenAIChatModel("m", baseURL: provider.url, key: key, settings: settings)
            _ = try? await Agent(model: model).run("Is \(key) mine?")
            _ = try await Agent(model: model).run("Is \(key) mine?")
        }
        let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
        #expect(text.split(separator: "\n").count == 2)
        for secret in [key, "0123456789", "sk-"] { #expect(!text.contains(secret)) }
    }

    @Test func errorsArePlayedBackToo() async throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await ScriptedProvider.withServer([.rateLimited(retryAfter: "0"), .says("Hello")]) { provider in
            for mode in [Cassette.Mode.record, .replay] {
                let settings = ProviderSettings(cassette: try Cassette(path, mode))
                let model = try OpenAIChatModel("m", baseURL: provider.url, settings: settings)
                #expect(try await Agent(model: model).run("?").output == "Hello")
            }
            #expect(provider.requests.count == 2)
        }
    }

    @Test func aFileThatIsNoneIsRefused() throws {
        #expect(throws: AgentError.self) { try Cassette("/nonexistent/cassette", .replay) }
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data("nonsense\n".utf8).write(to: URL(filePath: path))
        #expect(throws: AgentError.self) { try Cassette(path, .replay) }
    }
}
