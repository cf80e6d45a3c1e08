import AgentFiles
import Agents
import Testing

@Suite struct EvaluationFileTests {
    private func problems(_ text: String) -> String {
        do {
            _ = try EvaluationFile(text, file: "eval.yaml")
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test func casesAndWhatIsExpectedAreRead() throws {
        let file = try EvaluationFile(
            """
            agent: triage
            cases:
              - name: invoice
                input: The invoice is missing.
                expect:
                  contains: [billing, invoice]
                  equals: {labels: []}
                  seconds: 5
                  tokens: 2000
                  supported: false
                  judge: {agent: judge, claim: It is polite.}
              - input: Again.
                expect: {schema: {type: object}}
            """,
            file: "eval.yaml"
        )
        #expect(file.agent == "triage")
        #expect(file.cases.map(\.name) == ["invoice", "2"])
        #expect(
            file.cases[0].expectations == [
                .contains("billing"), .contains("invoice"), .equals(["labels": []]), .seconds(5), .tokens(2000),
                .supported(false), .judge(agent: "judge", claim: "It is polite."),
            ]
        )
        #expect(file.cases[1].expectations == [.schema(["type": "object"])])
    }

    @Test(arguments: [
        ("cases: []", "eval.yaml:1:1: the evaluation must have the property \"agent\""),
        ("agent: a\ncases: []", "eval.yaml:2:1: must have at least 1 item"),
        ("agent: a\ncases:\n  - input: x\n    expect: {}", "eval.yaml:4:5: must have at least 1 property"),
        (
            "agent: a\ncases:\n  - input: x\n    expect: {equal: y}",
            #"eval.yaml:4:14: there is no "equal": did you mean "equals"?"#
        ),
        (
            "agent: a\ncases:\n  - {name: b, input: x, expect: {seconds: 1}}\n  - {name: b, input: x, expect: {seconds: 1}}",
            "eval.yaml:4:5: there is a case \"b\" already"
        ),
        ("agent: a\ncases:\n  - input: x\n    expect: {schema: {typ: object}}", "eval.yaml:4:23: is not supported"),
    ]) func whatIsWrongIsToldWithItsPlace(_ text: String, _ expected: String) {
        #expect(problems(text).contains(expected), "\(problems(text))")
    }
}
