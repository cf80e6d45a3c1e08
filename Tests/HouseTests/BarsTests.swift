import Contract
import Testing

@testable import Console

/// What `octavo runs show` draws.
@Suite struct BarsTests {
    @Test func stepsAreBarsOnOneScaleAndWhatNobodyToldTheEndOfIsSeen() {
        let steps = [
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
        #expect(
            Bars.of(steps) == [
                "gpt-5     ████████████████████                      0–50 ms  900 + 20 tokens",
                "search                        ████████████████████  50–100 ms",
                "gpt-5 (2)                               ░░░░░░░░░░  75–… ms",
            ]
        )
    }

    @Test func nothingIsDrawnOfNothing() {
        #expect(Bars.of([RunStep]()).isEmpty)
        #expect(Bars.of([Span(name: "agent", startMilliseconds: 0, endMilliseconds: 0)]).isEmpty)
    }
}
