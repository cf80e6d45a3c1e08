import Contract
import Testing
import Wire

@testable import Console

/// What `octavo runs show` draws.
@Suite struct BarsTests {
    private static let steps = [
        RunStep(
            step: "1",
            kind: .model,
            name: "gpt-5",
            startMilliseconds: 0,
            endMilliseconds: 50,
            inputTokens: 900,
            outputTokens: 20
        ),
        RunStep(step: "1/a", kind: .tool, name: "search", startMilliseconds: 50, endMilliseconds: 100),
        RunStep(step: "2", attempt: 2, kind: .model, name: "gpt-5", startMilliseconds: 75, endMilliseconds: nil),
    ]

    @Test func stepsAreBarsOnOneScaleAndWhatNobodyToldTheEndOfIsSeen() {
        #expect(
            Bars.of([], begunAfter: 0, Self.steps) == [
                [
                    "gpt-5     ████████████████████                      0–50 ms  900 + 20 tokens",
                    "search                        ████████████████████  50–100 ms",
                    "gpt-5 (2)                               ░░░░░░░░░░  75–… ms",
                ]
            ]
        )
    }

    @Test func partsAndStepsHaveOneScaleFromTheFirstOfThem() {
        let step = RunStep(step: "1", kind: .tool, name: "search", startMilliseconds: 1_050, endMilliseconds: 1_100)
        let parts = [Span(name: "agent", startMilliseconds: 0, endMilliseconds: 100)]
        #expect(
            Bars.of(parts, begunAfter: 1_000, [step]) == [
                ["agent    ████████████████████████████████████████  0–100 ms"],
                ["search                       ████████████████████  50–100 ms"],
            ]
        )
    }

    @Test func aRunThatHadToWaitIsDrawnFromWhenItsLastAttemptBegan() throws {
        let run = try JSON(
            validating: #"{"id":"018e6109-2400-7000-8000-000000000001","state":"succeeded","agent":"echo","attempt":2,"#
                + #""events":1,"question":{"text":"How?","channel":"http"},"created":"2026-01-31T12:00:00.000Z","#
                + #""finished":"2026-01-31T12:00:10.100Z","outcome":{"state":"succeeded","citations":[],"supported":false,"#
                + #""model":"m","usage":{"requests":0,"input_tokens":0,"output_tokens":0},"#
                + #""timeline":[{"name":"agent","start_ms":0,"end_ms":100}]},"steps":[{"step":"1","attempt":2,"kind":"tool","#
                + #""name":"search","start_ms":10050,"end_ms":10100,"input_tokens":0,"output_tokens":0}]}"#
        ).decode(GetRun.Result.self)
        #expect(
            Bars.of(run).map { $0.map { $0.drop { $0 != "█" }.drop { $0 == "█" } } } == [
                ["  0–100 ms"], ["  50–100 ms"],
            ]
        )
    }

    @Test func nothingIsDrawnOfNothing() {
        #expect(Bars.of([], begunAfter: 7, []).isEmpty)
        let instant = Span(name: "agent", startMilliseconds: 0, endMilliseconds: 0)
        #expect(Bars.of([instant], begunAfter: 7, []).isEmpty)
    }
}
