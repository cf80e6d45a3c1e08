import Contract
import Testing
import Wire

/// Words of which there are some and no others.
@Suite struct ChoiceTests {
    @Test func whoeverSendsAnotherWordIsToldWhichThereAre() throws {
        let body = try JSON(validating: #"{"text":"x","channel":"fax"}"#)
        #expect {
            try body.decode(Question.self)
        } throws: { error in
            guard case DecodingError.dataCorrupted(let context) = error else { return false }
            return context.debugDescription == "it is one of http, terminal, web, slack, schedule."
        }
    }

    @Test func aWordThatThereIsComesAndGoesAsItIs() throws {
        #expect(try JSON(validating: #"["tool_calls"]"#).decode([SetBudget.Unit].self) == [.toolCalls])
        #expect(try JSON(encoding: [SetBudget.Unit.toolCalls]).description == #"["tool_calls"]"#)
    }
}
