import Glibc
import Synchronization
import Testing

@testable import Agents

extension AgentTests {
    // MARK: Tools that fail

    private func result(of tool: Tool, arguments: String = "{}", limits: AgentLimits = AgentLimits()) async throws
        -> ToolResult?
    {
        let call = ToolCall(id: "1", name: tool.name, arguments: arguments)
        let model = ScriptedModel(.calls(call), .says("I see."))
        let run = try await Agent(model: model, tools: [tool], limits: limits).run("?")
        #expect(run.output == "I see.")
        guard case .tool(let result) = run.history[2] else { return nil }
        return result
    }

    @Test func aToolErrorIsToldToTheModel() async throws {
        let tool = try Tool("t", "") { (_: NoArguments) -> String in throw ToolError("The shop is closed.") }
        #expect(
            try await result(of: tool)
                == ToolResult(callID: "1", name: "t", content: "The shop is closed.", isError: true)
        )
    }

    @Test func anotherErrorIsNotToldInDetail() async throws {
        struct Leak: Error { let password = "hunter2" }
        let tool = try Tool("t", "") { (_: NoArguments) -> String in throw Leak() }
        let result = try await result(of: tool)
        #expect(result?.isError == true)
        #expect(result?.content.contains("hunter2") == false)
    }

    @Test func aToolThatThrowsCancellationOfItsOwnOnlyFails() async throws {
        let tool = try Tool("t", "") { (_: NoArguments) -> String in throw CancellationError() }
        #expect(try await result(of: tool)?.content == "The tool failed.")
    }

    @Test func aToolThatNeverStopsIsAbandoned() async throws {
        let gate = Gate()
        defer { gate.open() }
        let tool = try Tool("t", "", timeout: .milliseconds(10)) { (_: NoArguments) in
            await gate.waitWhateverHappens()
            return "late"
        }
        #expect(try await result(of: tool)?.content == "The tool did not answer in time.")
    }

    /// More of them than there are cores: on the threads that tasks share, nobody would see that their time is up.
    @Test func toolsThatBlockTheirThreadsAreAbandonedToo() async throws {
        var ends: [CInt] = [-1, -1]
        try #require(pipe(&ends) == 0)
        let (reading, writing) = (ends[0], ends[1])
        defer { close(writing) }
        let tool = try Tool("t", "", timeout: .milliseconds(10)) { (_: NoArguments) in
            var byte: UInt8 = 0
            // Returns when the other end is closed.
            return "late \(read(reading, &byte, 1))"
        }
        let results = try await withThrowingTaskGroup { group in
            for _ in 0..<24 { group.addTask { try await self.result(of: tool)?.content } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results == Array(repeating: "The tool did not answer in time.", count: 24))
    }

    @Test func anUnknownToolIsToldToTheModel() async throws {
        let model = ScriptedModel(.calls(Self.call("1", tool: "nonsense")), .says("Sorry."))
        let run = try await Agent(model: model, tools: [Self.weather()]).run("?")
        #expect(
            run.history[2]
                == .tool(
                    ToolResult(
                        callID: "1",
                        name: "nonsense",
                        content: "There is no tool of this name.",
                        isMistake: true
                    )
                )
        )
    }

    @Test func aResultThatIsTooLongIsNotGiven() async throws {
        let tool = try Tool("t", "") { (_: NoArguments) in String(repeating: "x", count: 11) }
        let result = try await result(of: tool, limits: AgentLimits(toolResultBytes: 10))
        #expect(result?.content == "The result is too long: 11 of 10 bytes.")
    }

    @Test func twoToolsOfOneNameAreRefused() async throws {
        let agent = Agent(model: ScriptedModel(.says("x")), tools: [try Self.weather(), try Self.weather()])
        #expect(await code { try await agent.run("?") } == .misconfigured)
    }

    // MARK: Limits

    @Test func requestsAreLimited() async throws {
        let endless = FunctionModel { request, emit in
            try await emit(.toolCall(Self.call("\(request.messages.count)")))
        }
        let agent = Agent(model: endless, tools: [try Self.weather()], limits: AgentLimits(requests: 3))
        let error = await #expect(throws: AgentError.self) { try await agent.run("?") }
        #expect(
            error
                == AgentError(.limitReached, "The run reached its limit of 3 requests to the model without an answer.")
        )
    }

    @Test func toolCallsAreLimitedAndNoneOverTheLimitBegins() async throws {
        let calls = Mutex(0)
        let tool = try Tool("weather", "") { (_: Place) in
            calls.withLock { $0 += 1 }
            return ""
        }
        let model = ScriptedModel(.calls(Self.call("1"), Self.call("2")), .calls(Self.call("3"), Self.call("4")))
        let agent = Agent(model: model, tools: [tool], limits: AgentLimits(toolCalls: 3))
        #expect(await code { try await agent.run("?") } == .limitReached)
        #expect(calls.withLock { $0 } == 2)
    }

    @Test func tokensAreLimitedButAPaidAnswerIsGiven() async throws {
        let cost = ModelEvent.usage(Usage(inputTokens: 90, outputTokens: 20))
        let limits = AgentLimits(totalTokens: 100)
        let answer = ScriptedModel(.init([.text("Yes."), cost]))
        #expect(try await Agent(model: answer, limits: limits).run("?").output == "Yes.")
        let calling = ScriptedModel(.init([.toolCall(Self.call("1")), cost]), .says("No."))
        let agent = Agent(model: calling, tools: [try Self.weather()], limits: limits)
        #expect(await code { try await agent.run("?") } == .limitReached)
    }

    @Test func theWholeRunIsLimitedInTime() async throws {
        let agent = Agent(model: FunctionModel.hanging, limits: AgentLimits(wallClock: .milliseconds(10)))
        #expect(await code { try await agent.run("?") } == .limitReached)
    }

    @Test func theTimeOfEarlierAttemptsCounts() async throws {
        let model = ScriptedModel(.says("Hello"))
        let limits = AgentLimits(wallClock: .seconds(600), wallClockSpent: .seconds(600))
        await #expect(throws: AgentError(.limitReached, "The run took longer than its limit of 600 seconds.")) {
            try await Agent(model: model, limits: limits).run("?")
        }
        #expect(model.requests.isEmpty)
    }

    @Test func runsMayShareABudget() async throws {
        let cost = ModelEvent.usage(Usage(inputTokens: 40, outputTokens: 10, microdollars: 7))
        let answer = ScriptedModel.Turn([.text("Yes."), cost])
        for budget in [Budget(requests: 2), Budget(totalTokens: 100), Budget(microdollars: 14)] {
            let model = ScriptedModel(answer, answer, answer)
            let agent = Agent(model: model, budget: budget)
            for _ in 0..<2 { try await agent.run("?") }
            let error = await #expect(throws: AgentError.self) {
                try await Agent(model: model, budget: budget).run("?")
            }
            #expect(error?.code == .limitReached)
            #expect(budget.usage == Usage(inputTokens: 80, outputTokens: 20, microdollars: 14))
            #expect(model.requests.count == 2)
        }
    }

    @Test func aBudgetOfMoneyEndsWhereThePriceIsNotKnown() async throws {
        let unpriced = ScriptedModel.Turn([.text("Yes."), .usage(Usage(inputTokens: 40))])
        let agent = Agent(model: ScriptedModel(unpriced, unpriced), budget: Budget(microdollars: 100))
        try await agent.run("?")
        #expect(await code { try await agent.run("?") } == .limitReached)
    }

    // MARK: Answers that are none

    @Test func anEmptyAnswerIsInvalid() async {
        #expect(await code { try await Agent(model: ScriptedModel(.says())).run("?") } == .invalidAnswer)
    }

    @Test func anEmptyAnswerSaysWhy() async {
        let length = ScriptedModel(.init([.finish(.length)]))
        #expect(await code { try await Agent(model: length).run("?") } == .invalidAnswer)
        let filter = ScriptedModel(.init([.finish(.contentFilter)]))
        #expect(await code { try await Agent(model: filter).run("?") } == .providerRefused)
    }

    @Test func anIncompleteAnswerSaysSo() async throws {
        let model = ScriptedModel(.init([.text("The answer is"), .finish(.length)]))
        #expect(try await Agent(model: model).run("?").finishReason == .length)
    }

    @Test func anErrorOfTheModelIsPassedOn() async {
        let error = AgentError(.rateLimited, "Slow down.", retryAfter: .seconds(3))
        let model = ScriptedModel(.fails(error))
        #expect(await #expect(throws: AgentError.self) { try await Agent(model: model).run("?") } == error)
    }

    @Test func aForeignErrorOfAModelIsNotShown() async {
        struct Leak: Error { let password = "hunter2" }
        let model = FunctionModel { _, _ in throw Leak() }
        let error = await #expect(throws: AgentError.self) { try await Agent(model: model).run("?") }
        #expect(error?.code == .providerUnavailable)
        #expect(error?.description.contains("hunter2") == false)
    }
}
