import Testing

@testable import Agents

@Suite(.serialized) struct OutputTests {
    struct Weather: Codable, Equatable {
        let city: String
        let celsius: Int
        let wind: String?
    }

    static let oslo = Weather(city: "Oslo", celsius: 21, wind: nil)
    static let json = #"{"city":"Oslo","celsius":21}"#

    static func answer(_ arguments: String, id: String = "1", tool: String = "answer") -> ToolCall {
        ToolCall(id: id, name: tool, arguments: arguments)
    }

    private func run<Value>(
        _ output: AgentOutput<Value>,
        _ model: ScriptedModel,
        tools: [Tool] = [],
        limits: AgentLimits = AgentLimits()
    ) async throws -> AgentResult<Value> {
        try await Agent(model: model, tools: tools, output: output, limits: limits).run("?")
    }

    // MARK: Three modes, one schema, one result

    @Test func aToolGivesTheOutput() async throws {
        let model = ScriptedModel(.calls(Self.answer(Self.json)))
        let result = try await run(try AgentOutput(Weather.self), model)
        #expect(result.output == Self.oslo)
        #expect(result.toolCalls == 0)
        let request = try #require(model.requests.first)
        #expect(request.tools.map(\.name) == ["answer"])
        #expect(request.toolChoice == .required)
        #expect(request.format == .text)
        // Every call has a result, so the conversation can go on.
        #expect(result.history.last == .tool(ToolResult(callID: "1", name: "answer", content: "Accepted.")))
    }

    @Test func theProviderHoldsTheTextToTheSchema() async throws {
        let model = ScriptedModel(.says(Self.json))
        let result = try await run(try AgentOutput(Weather.self, mode: .native), model)
        #expect(result.output == Self.oslo)
        guard case .schema("answer", let schema)? = model.requests.first?.format else {
            Issue.record("No schema was sent.")
            return
        }
        #expect(schema.isStrict)
        #expect(model.requests[0].tools.isEmpty)
    }

    @Test(arguments: [json, "```json\n\(json)\n```", "Here it is:\n\(json)\nIs that all?"])
    func aPromptAsksForTheSchema(text: String) async throws {
        let model = ScriptedModel(.says(text))
        #expect(try await run(try AgentOutput(Weather.self, mode: .prompted), model).output == Self.oslo)
        #expect(model.requests[0].format == .json)
        guard case .system(let instructions)? = model.requests[0].messages.first else {
            Issue.record("There are no instructions.")
            return
        }
        #expect(instructions.contains(#""celsius":{"type":"integer"}"#))
    }

    @Test func aModelThatCallsNoToolIsShownTheSchemaAndMaySayIt() async throws {
        let model = ScriptedModel(.says("Sunny."), .says(Self.json))
        #expect(try await run(try AgentOutput(Weather.self), model).output == Self.oslo)
        guard case .user(let wish, _)? = model.requests.last?.messages.last else {
            Issue.record("It was not asked again.")
            return
        }
        #expect(wish.contains("no call of answer") && wish.contains(#""celsius":{"type":"integer"}"#))
    }

    @Test func whatIsForTheModelAloneIsNotToldToPeople() async throws {
        let model = ScriptedModel(.says("Sunny."), .says("Sunny."), .says("Sunny."))
        await #expect {
            try await run(try AgentOutput(Weather.self), model)
        } throws: { error in
            let message = (error as? AgentError)?.message ?? ""
            return message.hasSuffix("The last: Those are words, and no call of answer.")
        }
    }

    @Test(arguments: [
        (ModelCapabilities(), OutputMode.tool), (ModelCapabilities(tools: false), .native),
        (ModelCapabilities(tools: false, nativeSchema: false), .prompted),
    ])
    func theModeFollowsFromWhatTheModelCan(capabilities: ModelCapabilities, mode: OutputMode) {
        #expect(OutputMode.automatic.resolved(for: capabilities) == mode)
        #expect(OutputMode.prompted.resolved(for: capabilities) == .prompted)
        #expect(OutputMode.native.resolved(for: capabilities) == (capabilities.nativeSchema ? .native : .prompted))
    }

    @Test(arguments: OutputMode.allCases)
    func whatIsNoObjectTravelsInOne(mode: OutputMode) async throws {
        let said = ScriptedModel.Turn([.text(#"{"value":[1,2]}"#)])
        let called = ScriptedModel.Turn([.toolCall(Self.answer(#"{"value":[1,2]}"#))])
        let isTool = mode == .tool || mode == .automatic
        let result = try await run(try AgentOutput([Int].self, mode: mode), ScriptedModel(isTool ? called : said))
        #expect(result.output == [1, 2])
    }

    @Test func aModelThatSaysTheArgumentsInsteadOfCallingIsUnderstood() async throws {
        let model = ScriptedModel(.says("The answer is \(Self.json)."))
        #expect(try await run(try AgentOutput(Weather.self), model).output == Self.oslo)
    }

    @Test func aSchemaKnownOnlyAtRunTimeGivesJSON() async throws {
        let schema: JSONValue = ["type": "object", "properties": ["n": ["type": "integer"]], "required": ["n"]]
        let model = ScriptedModel(.calls(Self.answer(#"{"n":3}"#)))
        #expect(try await run(try AgentOutput(schema: schema), model).output == ["n": 3])
    }

    @Test func anOutputGoesAlongWithToolsAndTheirCallsAreMadeFirst() async throws {
        let called = Gate()
        let note = try Tool("note", "") { (_: NoArguments) in
            called.open()
            return "noted"
        }
        let model = ScriptedModel(.calls(Self.answer(Self.json), Self.answer("{}", id: "2", tool: "note")))
        let result = try await run(try AgentOutput(Weather.self), model, tools: [note])
        await called.wait()
        #expect(result.output == Self.oslo)
        #expect(
            result.history[2...] == [
                .tool(ToolResult(callID: "2", name: "note", content: "noted")),
                .tool(ToolResult(callID: "1", name: "answer", content: "Accepted.")),
            ]
        )
    }

    // MARK: Wrong, and sent back

    @Test func aWrongOutputGoesBackWithTheReason() async throws {
        let model = ScriptedModel(.calls(Self.answer(#"{"city":"Oslo"}"#)), .calls(Self.answer(Self.json, id: "2")))
        let result = try await run(try AgentOutput(Weather.self), model)
        #expect(result.output == Self.oslo)
        guard case .tool(let told)? = model.requests[1].messages.last else {
            Issue.record("The model was not told.")
            return
        }
        #expect(told.isError && told.content.contains("celsius"))
    }

    @Test func wrongTextGoesBackWithTheReason() async throws {
        let model = ScriptedModel(.says("It is warm."), .says(Self.json))
        let output = try AgentOutput(Weather.self, mode: .native)
        let events = try await Agent(model: model, output: output).stream("?").reduce(into: []) { $0.append($1) }
        guard case .user(let told, _)? = model.requests[1].messages.last else {
            Issue.record("The model was not told.")
            return
        }
        // With the schema: a server may have taken it and not held the model to it.
        #expect(told.contains("no JSON object") && told.contains(#""celsius""#))
        #expect(events.contains { if case .rejected(let reason) = $0 { told.contains(reason) } else { false } })
    }

    @Test func wordsWhereAToolIsAskedForGoBack() async throws {
        let model = ScriptedModel(.says("It is warm."), .calls(Self.answer(Self.json)))
        #expect(try await run(try AgentOutput(Weather.self), model).output == Self.oslo)
        guard case .user(let told, _)? = model.requests[1].messages.last else {
            Issue.record("The model was not told.")
            return
        }
        #expect(told.contains("no call of answer"))
    }

    @Test func theOutputHasABudgetOfItsOwn() async throws {
        let wrong = ScriptedModel.Turn.calls(Self.answer("{}"))
        let model = ScriptedModel(wrong, wrong, wrong, .calls(Self.answer(Self.json)))
        let agent = try Agent(model: model, output: Weather.self, limits: AgentLimits(outputRetries: 1))
        let error = await #expect(throws: AgentError.self) { try await agent.run("?") }
        #expect(error?.code == .invalidAnswer)
        #expect(error?.message.contains("city") == true)
        #expect(model.requests.count == 2)
    }

    @Test func toolsHaveABudgetOfTheirOwnWhichASuccessRestores() async throws {
        let tool = try Tool("weather", "") { (place: AgentTests.Place) in place.city }
        let wrong = ScriptedModel.Turn.calls(ToolCall(id: "1", name: "weather", arguments: "{}"))
        let right = ScriptedModel.Turn.calls(AgentTests.call("1"))
        let limits = AgentLimits(toolRetries: 1)
        let patient = ScriptedModel(wrong, right, wrong, .says("Done."))
        #expect(try await Agent(model: patient, tools: [tool], limits: limits).run("?").output == "Done.")
        let stubborn = ScriptedModel(wrong, wrong, .says("Done."))
        let agent = Agent(model: stubborn, tools: [tool], limits: limits)
        let error = await #expect(throws: AgentError.self) { try await agent.run("?") }
        #expect(error == AgentError(.invalidAnswer, "The model called weather wrongly 2 times in a row."))
    }

    @Test func aToolThatFailsIsNoMistakeOfTheModel() async throws {
        let tool = try Tool("t", "") { (_: NoArguments) -> String in throw ToolError("Closed.") }
        let call = ScriptedModel.Turn.calls(ToolCall(id: "1", name: "t", arguments: ""))
        let agent = Agent(
            model: ScriptedModel(call, call, call, .says("Closed, it seems.")),
            tools: [tool],
            limits: AgentLimits(toolRetries: 0)
        )
        #expect(try await agent.run("?").output == "Closed, it seems.")
    }

    // MARK: Validators

    @Test func aValidatorSendsBackOrChanges() async throws {
        let output = try AgentOutput(Weather.self).validated { weather in
            guard weather.celsius < 60 else { throw OutputError("It is never that warm.") }
            return Weather(city: weather.city, celsius: weather.celsius, wind: "calm")
        }
        let hot = Self.answer(#"{"city":"Oslo","celsius":210}"#)
        let model = ScriptedModel(.calls(hot), .calls(Self.answer(Self.json, id: "2")))
        #expect(try await run(output, model).output.wind == "calm")
        guard case .tool(let told)? = model.requests[1].messages.last else {
            Issue.record("The model was not told.")
            return
        }
        #expect(told.content.contains("never that warm"))
    }

    @Test func aValidatorThatFailsEndsTheRunWithoutItsWords() async throws {
        struct Leak: Error { let password = "hunter2" }
        let output = AgentOutput.text.validated { _ in throw Leak() }
        let error = await #expect(throws: AgentError.self) { try await run(output, ScriptedModel(.says("x"))) }
        #expect(error?.code == .invalidAnswer)
        #expect(error?.message.contains("hunter2") == false)
    }
}
