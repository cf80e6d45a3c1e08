import Agents
import Configuration
import Contract
import Daemon
import Logging
import RPC
import Testing

@testable import AgentRunner

@Suite(.serialized) struct ModelProviderTests {
    private func provider(_ settings: [String: String], after earlier: Providers? = nil) throws -> ModelProvider {
        let reader = ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: settings))
        return try ModelProvider(reader, after: earlier)
    }

    private func name(_ settings: [String: String]) throws -> String { try provider(settings).name }

    @Test(arguments: [
        ([:], "extractive"), (["OPENAI_API_KEY": "k"], "openai:gpt-5-mini"),
        (["ANTHROPIC_API_KEY": "k"], "anthropic:claude-haiku-4-5"),
        (["OPENAI_API_KEY": "k", "OCTAVO_MODEL": "extractive"], "extractive"),
        (["OPENAI_API_KEY": "k", "OCTAVO_MODEL": "gpt-4.1"], "openai:gpt-4.1"),
        (["OPENAI_API_KEY": "k", "OCTAVO_MODEL": "openai-responses:gpt-5"], "openai-responses:gpt-5"),
        (
            ["ANTHROPIC_API_KEY": "k", "OCTAVO_MODEL": "anthropic:claude-opus-5, ollama:qwen3:8b"],
            "anthropic:claude-opus-5"
        ),
        (["GROQ_API_KEY": "k", "OCTAVO_MODEL": "groq:llama"], "groq:llama"),
        (["OCTAVO_MODEL": "ollama:qwen3:8b"], "ollama:qwen3:8b"),
        (["OPENAI_BASE_URL": "http://127.0.0.1:1/v1", "OCTAVO_MODEL": "smollm2"], "openai:smollm2"),
        // Servers of one's own may have colons in their models' names.
        (["OPENAI_BASE_URL": "http://127.0.0.1:1/v1", "OCTAVO_MODEL": "qwen3:8b"], "openai:qwen3:8b"),
        (["ANTHROPIC_BASE_URL": "http://127.0.0.1:1/v1", "OCTAVO_MODEL": "anthropic:x"], "anthropic:x"),
    ])
    func theModelFollowsFromTheSettings(settings: [String: String], name: String) throws {
        #expect(try self.name(settings) == name)
    }

    @Test(arguments: [
        (["OCTAVO_MODEL": "gpt-5"], "OPENAI_API_KEY"), (["OPENAI_BASE_URL": "http://127.0.0.1:1/v1"], "OCTAVO_MODEL"),
        (["OPENAI_API_KEY": "k", "OCTAVO_MODEL": "antropic:claude"], "anthropic"),
        (["OCTAVO_MODEL": "anthropic:claude-opus-5"], "ANTHROPIC_API_KEY"),
        (["OPENAI_API_KEY": "two words"], "key"), (["OPENAI_API_KEY": "k", "OCTAVO_MODEL": " , "], "OCTAVO_MODEL"),
        (["OPENAI_BASE_URL": "http://example.com/v1", "OPENAI_API_KEY": "k", "OCTAVO_MODEL": "m"], "https"),
        (["OPENAI_CALLS": "0"], "OPENAI_CALLS is \"0\""), (["LLAMA_CPP_CALLS": "all"], "LLAMA_CPP_CALLS is \"all\""),
    ])
    func settingsThatCannotBeUsedAreRefusedWithAWayOut(settings: [String: String], hint: String) {
        let error = #expect(throws: ConfigurationError.self) { try self.name(settings) }
        #expect(error.map { "\($0)".contains(hint) } == true)
    }

    @Test func callsAtOnceAreLimitedByTheNameOfTheProvider() throws {
        #expect(try provider([:]).providers.fewestCalls == nil)
        #expect(try provider(["OPENAI_CALLS": "4"]).providers.fewestCalls == 4)
        #expect(try provider(["LLAMA_CPP_CALLS": "1", "OLLAMA_CALLS": "2"]).providers.fewestCalls == 1)
    }

    /// What waits in the queue loses nothing of its time.
    @Test(arguments: [([:], 256), (["OPENAI_CALLS": "2"], 8), (["OPENAI_CALLS": "1000"], 256)])
    func ofTheQueueNoMoreIsTakenThanSoonHasItsTurn(settings: [String: String], room: Int) throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let storage = RPCClient(path: "/nowhere", role: .agentRunner, name: "storage", logger: logger)
        let settings = settings.merging(["OCTAVO_AGENTS": "/nowhere"]) { $1 }
        let reader = ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: settings))
        let directory = AgentDirectory([:])
        directory.use(try InstalledAgents(reader, storage: storage, logger: logger))
        let teller = SlackTeller(nil, logger: logger)
        #expect(Runs(agents: directory, teller: teller, storage: storage, logger: logger).room == room)
    }
}
