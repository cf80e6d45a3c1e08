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
            func print(_ items: Any..., terminator: String = "\n") { printed += items.map { "\($0)" } }

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

            let talker = Agent(model: try providers.model("openai:gpt-5-mini"), tools: [thermometer])
            for try await event in talker.stream("How warm is it in Oslo?") {
                if case .text(let piece) = event { print(piece, terminator: "") }
            }

            func follow(_ talker: Agent<String>) async throws {
                var steps = talker.iterate("How warm is it in Oslo?")
                while let step = try await steps.next() {
                    if case .called(let results) = step { print(results[0].content) }
                }
            }
            try await follow(talker)

            #expect(printed == ["No coat.", "It is ", "21 °C.", "21"])
            #expect(provider.requests.count == 6)
        }
    }

    @Test(arguments: [false, true]) func theToolAndTheLimitsOfThePageHold(isEndless: Bool) async throws {
        let call = ToolCall(id: "1", name: "trains", arguments: #"{"from":"Oslo","to":"Bergen"}"#)
        let calls = Array(repeating: ScriptedModel.Turn.calls(call), count: isEndless ? 8 : 1)
        let talker = Agent(model: ScriptedModel(calls + [.says("At 9:00.")]))
        var printed: [String] = []
        func print(_ items: Any...) { printed += items.map { "\($0)" } }

        struct Trip: Decodable, Described {
            let from: String, to: String
            static let descriptions = ["from": "The station where it begins.", "to": "The one where it ends."]
        }
        let trains = try Tool("trains", "Trains of today.", timeout: .seconds(5), callsPerRun: 3) { (trip: Trip) in
            guard trip.from != trip.to else { throw ToolError("They are the same station. Ask where the trip goes.") }
            return "\(trip.from) 9:00, \(trip.to) 11:30"
        }
        let limits = AgentLimits(requests: 5, totalTokens: 20_000, wallClock: .seconds(60))
        let clerk = Agent(model: talker.model, tools: [trains], limits: limits)
        do {
            print(try await clerk.run("When does a train go to Bergen?").output)
        } catch let error as AgentError where error.code == .limitReached {
            print(error.message)
        }

        let limit = "The run reached its limit of 5 requests to the model without an answer."
        #expect(printed == [isEndless ? limit : "At 9:00."])
        #expect(trains.definition.parameters.text.contains("The station where it begins."))
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

    @Test func theProviderOfThePageIsKnown() throws {
        let house = Providers(Provider.known + [Provider("house", .chat, baseURL: "http://127.0.0.1:8123/v1")])
        let own = try house.model("house:qwen3")
        #expect(own.name == "qwen3" && own.provider == "house")
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

    @Test func theTasksOfThePageAreDone() async throws {
        let mail = "The invoice of May is missing. Please send it."
        let model = FunctionModel { request, emit in
            let tool = request.tools.first?.name
            switch tool {
            case "labels":
                let labels = #"{"labels":[{"category":"billing","confidence":0.9}]}"#
                try await emit(.toolCall(ToolCall(id: "1", name: "labels", arguments: labels)))
            case "summary":
                let sentences =
                    #"{"sentences":[{"text":"It is missing.","quotes":["The invoice of May is missing."]}]}"#
                try await emit(.toolCall(ToolCall(id: "1", name: "summary", arguments: sentences)))
            default: try await emit(.text("Here it is."))
            }
            try await emit(.finish(tool == nil ? .stop : .toolCalls))
        }
        var printed: [String] = []
        func print(_ items: Any...) { printed.append(items.map { "\($0)" }.joined(separator: " ")) }

        let classifier = Classifier(
            model: model,
            categories: [.init("billing", "Invoices, payments, refunds."), .init("fault", "Something does not work.")]
        )
        let labels = try await classifier.classify(mail).output
        print(labels[0].category, labels[0].confidence)

        let summary = try await Summariser(model: model, sentences: 2, audience: "directors").summarise(mail).output
        for sentence in summary.sentences { print(sentence.text, sentence.sources[0].quote) }

        let reply = Together<String>.Part("reply") { budget in
            try await Agent(model: model, instructions: "Answer the mail.", budget: budget).run(mail).output
        }
        let gist = Together<String>.Part("gist") { budget in
            try await Summariser(model: model, sentences: 1, budget: budget).summarise(mail).output.text
        }
        let both = Together([reply, gist], onFailure: .collect)
        for part in try await both.run(within: Budget(requests: 8, totalTokens: 50_000)) {
            switch part.result {
            case .success(let text): print(part.name, text)
            case .failure(let error): print(part.name, error)
            }
        }

        #expect(
            printed == [
                "billing 0.9", "It is missing. The invoice of May is missing.", "reply Here it is.",
                "gist It is missing.",
            ]
        )
    }

    @Test func theModelOfThePageIsWhatTestsAre() async throws {
        struct Place: Decodable { let city: String }
        let thermometer = try Tool("thermometer", "The temperature in a city, in °C.") { (place: Place) in 21 }
        let scripted = ScriptedModel(
            .calls(ToolCall(id: "1", name: "thermometer", arguments: #"{"city":"Oslo"}"#)),
            .says("It is 21 °C.")
        )
        let tested = try await Agent(model: scripted, tools: [thermometer]).run("How warm is it in Oslo?")
        #expect(tested.output == "It is 21 °C." && tested.toolCalls == 1)
        #expect(scripted.requests.count == 2)
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
        #expect(code.count >= 80)
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
