import Testing

@testable import Agents

@Suite(.serialized) struct OutputUnionTests {
    private enum Reply: Equatable, Sendable {
        case weather(OutputTests.Weather)
        case cities([String])
        case said(String)
    }

    private static func output(_ mode: OutputMode = .automatic, text: Bool = false) throws -> AgentOutput<Reply> {
        let typed = [
            try OutputChoice("weather", "The weather.", Reply.weather),
            try OutputChoice("cities", "Cities.", Reply.cities),
        ]
        return try .oneOf(typed + (text ? [.text(Reply.said)] : []), mode: mode)
    }

    private func reply(_ output: AgentOutput<Reply>, _ model: ScriptedModel) async throws -> Reply {
        try await Agent(model: model, output: output).run("?").output
    }

    @Test func eachFormIsATool() async throws {
        let model = ScriptedModel(.calls(OutputTests.answer(#"{"value":["Oslo"]}"#, tool: "cities")))
        #expect(try await reply(try Self.output(), model) == .cities(["Oslo"]))
        #expect(model.requests[0].tools.map(\.name) == ["weather", "cities"])
        #expect(model.requests[0].toolChoice == .required)
    }

    @Test func textMayBeAForm() async throws {
        let model = ScriptedModel(.says("Which city?"))
        #expect(try await reply(try Self.output(text: true), model) == .said("Which city?"))
        #expect(model.requests[0].toolChoice == .automatic)
    }

    @Test(
        arguments: [OutputMode.native, .prompted],
        [
            (
                #"{"answer":{"kind":"weather","value":{"city":"Oslo","celsius":21,"wind":null}}}"#,
                Reply.weather(OutputTests.oslo)
            ),
            (#"{"answer":{"kind":"cities","value":["Rome"]}}"#, .cities(["Rome"])),
            (#"{"answer":{"kind":"text","value":"Which?"}}"#, .said("Which?")),
            (#"{"kind":"text","value":"Which?"}"#, .said("Which?")),
        ]
    )
    private func inTextFormsAreToldApartByTheirKind(mode: OutputMode, said: (text: String, reply: Reply)) async throws {
        #expect(try await reply(try Self.output(mode, text: true), ScriptedModel(.says(said.text))) == said.reply)
    }

    /// In words, or as the arguments of a tool that it was to call.
    @Test(arguments: ["Rome, I think.", #"{"city":"Oslo","celsius":21,"wind":null}"#, "[1]"])
    func whoCallsNoToolIsShownTheFormsAndMaySayOne(first: String) async throws {
        let said = #"{"answer":{"kind":"cities","value":["Rome"]}}"#
        let model = ScriptedModel(.says(first), .says(said))
        #expect(try await reply(try Self.output(), model) == .cities(["Rome"]))
        guard case .user(let told, _)? = model.requests[1].messages.last else {
            Issue.record("The model was not told.")
            return
        }
        #expect(told.contains("no call of weather or cities") && told.contains(#""kind""#), "\(told)")
    }

    @Test func aKindThatIsNoneGoesBack() async throws {
        let right = #"{"answer":{"kind":"cities","value":[]}}"#
        let model = ScriptedModel(.says(#"{"answer":{"kind":"river","value":1}}"#), .says(right))
        #expect(try await reply(try Self.output(.native), model) == .cities([]))
        guard case .user(let told, _)? = model.requests[1].messages.last else {
            Issue.record("The model was not told.")
            return
        }
        #expect(told.contains(#""weather", "cities""#))
    }

    @Test func twoOutputsInOneAnswerTheFirstRightOneCounts() async throws {
        let model = ScriptedModel(
            .calls(
                OutputTests.answer("{}", id: "1", tool: "weather"),
                OutputTests.answer(#"{"value":["Rome"]}"#, id: "2", tool: "cities"),
                OutputTests.answer(#"{"value":["Oslo"]}"#, id: "3", tool: "cities")
            )
        )
        let result = try await Agent(model: model, output: try Self.output()).run("?")
        #expect(result.output == .cities(["Rome"]))
        #expect(result.history.count == 5)
        // A run that had ended with it gives it again, without asking.
        #expect(
            try await Agent(model: ScriptedModel(), output: try Self.output()).resume(result.history).output
                == result.output
        )
    }

    @Test func formsOfOneNameOrNoneAreRefused() throws {
        let twice = [try OutputChoice("a", "", Reply.weather), try OutputChoice("a", "", Reply.cities)]
        #expect(throws: AgentError.self) { try AgentOutput.oneOf(twice) }
        #expect(throws: AgentError.self) { try AgentOutput<Reply>.oneOf([]) }
        #expect(throws: AgentError.self) { try OutputChoice("two words", "", Reply.cities) }
    }

    @Test func anOutputAndAToolOfOneNameAreRefused() async throws {
        let tool = try Tool("weather", "") { (_: NoArguments) in "" }
        let agent = Agent(model: ScriptedModel(.says("x")), tools: [tool], output: try Self.output())
        let error = await #expect(throws: AgentError.self) { try await agent.run("?") }
        #expect(error?.code == .misconfigured)
    }
}
