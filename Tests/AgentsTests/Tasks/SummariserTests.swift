import Agents
import Testing

@Suite(.serialized) struct SummariserTests {
    private static let text = """
        The office closes on 24 December. It opens again on
        2 January. Parcels are taken in by the “porter” meanwhile.
        """

    private func call(_ sentences: String...) -> ScriptedModel.Turn {
        .calls(ToolCall(id: "1", name: "summary", arguments: #"{"sentences":[\#(sentences.joined(separator: ","))]}"#))
    }

    private func sentence(_ text: String, _ quotes: String...) -> String {
        let quotes = quotes.map { JSONValue.string($0).text }.joined(separator: ",")
        return #"{"text":\#(JSONValue.string(text).text),"quotes":[\#(quotes)]}"#
    }

    @Test func everySentencePointsAtItsSource() async throws {
        // White space and the shape of quotation marks may differ; what is kept is what stands in the text.
        let model = ScriptedModel(
            call(
                sentence("It opens again on 2 January.", "opens again on 2 January"),
                sentence("The porter takes parcels.", "taken in by the \"porter\"")
            )
        )
        let summary = try await Summariser(model: model).summarise(Self.text).output
        #expect(summary.text == "It opens again on 2 January. The porter takes parcels.")
        let scalars = Array(Self.text.unicodeScalars)
        for source in summary.sentences.flatMap(\.sources) {
            #expect(String(String.UnicodeScalarView(scalars[source.start..<source.end])) == source.quote)
        }
        #expect(
            summary.sentences.map { $0.sources[0].quote } == ["opens again on\n2 January", "taken in by the “porter”"]
        )
    }

    @Test func whatTheTextDoesNotSayGoesBackToTheModel() async throws {
        let right = sentence("It closes on 24 December.", "closes on 24 December")
        let wrongs = [
            sentence("It closes.", "is closed for ever"), sentence("It closes."),
            sentence("It closes on 23 December.", "closes on 24 December"),
        ]
        for wrong in wrongs {
            let model = ScriptedModel(call(wrong), call(right))
            let summary = try await Summariser(model: model).summarise(Self.text).output
            #expect(summary.text == "It closes on 24 December.")
        }
        let long = ScriptedModel(call(right, right), call(right))
        #expect(try await Summariser(model: long, sentences: 1).summarise(Self.text).output.sentences.count == 1)
    }

    @Test func aSummaryThatCannotBeMendedIsAnError() async throws {
        let wrong = call(sentence("It burns.", "the office burns down"))
        let model = ScriptedModel(Array(repeating: wrong, count: 10))
        await #expect(throws: AgentError.self) { try await Summariser(model: model).summarise(Self.text) }
    }

    @Test func lengthAndAudienceAreAskedFor() async throws {
        let model = ScriptedModel(call(sentence("It closes.", "The office closes")))
        _ = try await Summariser(model: model, sentences: 1, audience: "children").summarise(Self.text)
        guard case .system(let instructions)? = model.requests.first?.messages.first else { return }
        #expect(instructions.contains("at most 1 sentence, in its language. Write for children."))
    }
}
