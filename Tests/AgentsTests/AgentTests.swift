import Testing

@testable import Agents

@Suite(.serialized) struct AgentTests {
    struct Place: Decodable { let city: String }

    static func call(_ id: String, _ city: String = "Oslo", tool: String = "weather") -> ToolCall {
        ToolCall(id: id, name: tool, arguments: #"{"city":"\#(city)"}"#)
    }

    static func weather() throws -> Tool {
        try Tool("weather", "The temperature in a city.") { (place: Place) in "21 in \(place.city)" }
    }

    func code(_ run: () async throws -> Void) async -> AgentError.Code? {
        do {
            try await run()
            Issue.record("It did not fail.")
            return nil
        } catch {
            return (error as? AgentError)?.code
        }
    }

    // MARK: Runs

    @Test func anAnswerIsTheOutput() async throws {
        let model = ScriptedModel(.says("It ", "is warm."))
        let result = try await Agent(model: model, instructions: "Be brief.").run("How is it?")
        #expect(result.output == "It is warm.")
        #expect(result.history == [.user("How is it?"), .assistant(text: "It is warm.")])
        #expect(model.requests.map(\.messages) == [[.system("Be brief."), .user("How is it?")]])
    }

    @Test func aToolIsCalledAndItsResultGoesToTheModel() async throws {
        let model = ScriptedModel(.calls(Self.call("1")), .says("21 °C"))
        let result = try await Agent(model: model, tools: [Self.weather()]).run("How warm?")
        #expect(result.output == "21 °C")
        #expect(result.requests == 2)
        #expect(result.toolCalls == 1)
        #expect(model.requests[0].tools.map(\.name) == ["weather"])
        #expect(
            model.requests[1].messages == [
                .user("How warm?"), .assistant(text: "", toolCalls: [Self.call("1")]),
                .tool(ToolResult(callID: "1", name: "weather", content: "21 in Oslo")),
            ]
        )
    }

    @Test func textBeforeAToolCallDoesNotEndTheRun() async throws {
        let thinking = ScriptedModel.Turn([.text("Let me look. "), .toolCall(Self.call("1")), .finish(.stop)])
        let result = try await Agent(model: ScriptedModel(thinking, .says("21")), tools: [Self.weather()]).run("?")
        #expect(result.output == "21")
    }

    @Test func toolCallsRunAtTheSameTimeAndResultsKeepTheirOrder() async throws {
        // Each waits for the other, so one after the other would never end.
        let (oslo, rome) = (Gate(), Gate())
        let tool = try Tool("weather", "") { (place: Place) in
            if place.city == "Oslo" {
                rome.open()
                await oslo.wait()
            } else {
                await rome.wait()
                oslo.open()
            }
            return place.city
        }
        let model = ScriptedModel(.calls(Self.call("1", "Oslo"), Self.call("2", "Rome")), .says("both"))
        let result = try await Agent(model: model, tools: [tool]).run("?")
        #expect(
            result.history[2...3] == [
                .tool(ToolResult(callID: "1", name: "weather", content: "Oslo")),
                .tool(ToolResult(callID: "2", name: "weather", content: "Rome")),
            ]
        )
    }

    @Test func aConversationGoesOnFromItsHistory() async throws {
        let model = ScriptedModel(.says("One."), .says("Two."))
        let agent = Agent(model: model)
        let first = try await agent.run("First?")
        let second = try await agent.run("Second?", history: first.history)
        #expect(
            second.history == [
                .user("First?"), .assistant(text: "One."), .user("Second?"), .assistant(text: "Two."),
            ]
        )
    }

    @Test func eventsTellTheRunInOrder() async throws {
        let cost = Usage(inputTokens: 3, outputTokens: 2)
        let model = ScriptedModel(
            .init([.toolCall(Self.call("1")), .usage(cost), .finish(.toolCalls)]),
            .init([.text("2"), .text("1"), .usage(cost), .finish(.stop)])
        )
        let result = ToolResult(callID: "1", name: "weather", content: "21 in Oslo")
        let called = Message.assistant(text: "", toolCalls: [Self.call("1")])
        let events = try await Agent(model: model, tools: [Self.weather()]).stream("?").reduce(into: []) {
            $0.append($1)
        }
        #expect(
            events == [
                .usage(cost), .message(called), .toolCall(Self.call("1")), .toolResult(result), .message(.tool(result)),
                .text("2"), .text("1"), .usage(cost), .message(.assistant(text: "21")),
                .finished(
                    AgentResult(
                        output: "21",
                        history: [.user("?"), called, .tool(result), .assistant(text: "21")],
                        usage: cost + cost,
                        requests: 2,
                        toolCalls: 1,
                        finishReason: .stop,
                        model: model.name
                    )
                ),
            ]
        )
    }

    @Test func manyRunsOfOneAgentDoNotMeet() async throws {
        let echo = FunctionModel { request, emit in
            if case .user(let text, _)? = request.messages.last { try await emit(.text(text)) }
        }
        let agent = Agent(model: echo)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<200 { group.addTask { try await agent.run("\(number)").output == "\(number)" } }
            for try await isRight in group { #expect(isRight) }
        }
    }

    // MARK: Going on

    @Test func aBrokenRunGoesOnWithTheToolsThatHadNoResult() async throws {
        let history: [Message] = [
            .user("?"), .assistant(text: "", toolCalls: [Self.call("1"), Self.call("2", "Rome")]),
            .tool(ToolResult(callID: "1", name: "weather", content: "kept")),
        ]
        let model = ScriptedModel(.says("done"))
        let result = try await Agent(model: model, tools: [Self.weather()]).resume(history)
        #expect(result.toolCalls == 1)
        #expect(
            model.requests[0].messages == history + [
                .tool(ToolResult(callID: "2", name: "weather", content: "21 in Rome"))
            ]
        )
    }

    @Test func aRunThatHadEndedGivesItsAnswerAgainWithoutAsking() async throws {
        let model = ScriptedModel()
        let result = try await Agent(model: model).resume([.user("?"), .assistant(text: "Yes.")])
        #expect(result.output == "Yes.")
        #expect(model.requests.isEmpty)
    }

    @Test func aNewQuestionClosesCallsThatHadNoResult() async throws {
        let model = ScriptedModel(.says("Fine."))
        let history: [Message] = [.user("?"), .assistant(text: "", toolCalls: [Self.call("1")])]
        _ = try await Agent(model: model, tools: [Self.weather()]).run("Never mind.", history: history)
        guard case .tool(let result) = model.requests[0].messages[2] else {
            Issue.record("The call has no result.")
            return
        }
        #expect(result.callID == "1")
        #expect(result.isError)
    }
}

extension FunctionModel {
    static let hanging = FunctionModel { _, _ in try await Task.sleep(for: .seconds(3600)) }
}
