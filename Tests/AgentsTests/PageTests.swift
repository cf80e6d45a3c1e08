import Agents
import FoundationEssentials
import ScriptedProvider
import Testing

/// The page in the documentation shows code that works, because it is the code below.
@Suite(.serialized) struct PageTests {
    private static let call = ScriptedCall(id: "1", name: "thermometer", arguments: #"{"city":"Oslo"}"#)
    private static let answer = ScriptedCall(id: "2", name: "answer", arguments: #"{"celsius":21,"advice":"No coat."}"#)

    private static func providers(_ provider: ScriptedProvider) -> Providers {
        Providers([
            Provider("openai", baseURL: provider.url), Provider("anthropic", .messages, baseURL: provider.url),
        ])
    }

    @Test func theAgentOfThePageAnswers() async throws {
        let script = [
            ScriptedAnswer(calls: [Self.call]), ScriptedAnswer(calls: [Self.answer]),
            ScriptedAnswer(calls: [Self.call]),
            ScriptedAnswer("It is ", "21 °C."), ScriptedAnswer(calls: [Self.call]), ScriptedAnswer("It is 21 °C."),
        ]
        try await ScriptedProvider.withServer(saying: script) { provider in
            let providers = Self.providers(provider)
            var printed: [String] = []
            func print(_ text: String, terminator: String = "\n") { printed.append(text) }

            struct Place: Decodable { let city: String }
            struct Weather: Decodable { let celsius: Int, advice: String }
            let thermometer = try Tool("thermometer", "The temperature in a city, in °C.") { (place: Place) in 21 }
            let agent = try Agent(
                model: try providers.model("openai:gpt-5-mini"),
                instructions: "Say how warm it is, and what to wear.",
                tools: [thermometer],
                output: Weather.self
            )
            print(try await agent.run("How warm is it in Oslo?").output.advice)

            let talker = Agent(model: agent.model, tools: [thermometer])
            for try await event in talker.stream("How warm is it in Oslo?") {
                if case .text(let piece) = event { print(piece, terminator: "") }
            }

            var steps = talker.iterate("How warm is it in Oslo?")
            while let step = try await steps.next() {
                if case .called(let results) = step { print(results[0].content) }
            }

            #expect(printed == ["No coat.", "It is ", "21 °C.", "21"])
            #expect(provider.requests.count == 6)
        }
    }

    @Test func theOutputOfThePageIsOneOfItsForms() async throws {
        struct Weather: Decodable { let celsius: Int, advice: String }
        enum Reply { case weather(Weather), question(String) }
        let output = try AgentOutput.oneOf([
            OutputChoice("weather", "The weather in the place asked for.", Reply.weather), .text(Reply.question),
        ])
        .validated { reply in
            if case .weather(let weather) = reply, weather.celsius > 60 { throw OutputError("It is never that warm.") }
            return reply
        }
        let hot = ToolCall(id: "1", name: "weather", arguments: #"{"celsius":70,"advice":"-"}"#)
        let model = ScriptedModel(.calls(hot), .says("Which Oslo?"))
        guard case .question(let question) = try await Agent(model: model, output: output).run("?").output else {
            Issue.record("It is no question.")
            return
        }
        #expect(question == "Which Oslo?")
    }

    @Test func theFallbackOfThePageAnswers() async throws {
        let script = [ScriptedAnswer("As an AI, I cannot."), ScriptedAnswer("21 °C.")]
        try await ScriptedProvider.withServer(saying: script) { provider in
            let providers = Self.providers(provider)
            let careful = FallbackModel(
                try providers.model("anthropic:claude-sonnet-4-5"),
                [try providers.model("openai:gpt-5-mini")],
                accepting: { !$0.text.contains("As an AI") }
            )
            #expect(try await Agent(model: careful).run("?").output == "21 °C.")
            #expect(provider.requests.map(\.path) == ["/v1/messages", "/v1/chat/completions"])
        }
    }

    @Test func theCodeOfThePageIsTheCodeAbove() throws {
        let source = try lines(of: #filePath)
        let page = try lines(
            of: #filePath.replacing("Tests/AgentsTests/PageTests.swift", with: "Sources/Agents/Agents.docc/Agents.md")
        )
        var code: [String] = []
        var isCode = false
        for line in page {
            if line.hasPrefix("```") { isCode = line == "```swift" } else if isCode { code.append(line) }
        }
        #expect(code.count >= 30)
        var rest = source[...]
        for line in code {
            let position = rest.firstIndex(of: line)
            #expect(position != nil, "Not in the test, or in another order: \(line)")
            rest = rest[(position ?? rest.startIndex)...].dropFirst()
        }
    }

    private func lines(of path: String) throws -> [String] {
        let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
        return text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            String(line.drop { $0 == " " })
        }
    }
}
