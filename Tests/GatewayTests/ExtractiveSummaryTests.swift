import Testing

@testable import Gateway

/// What a section says of itself.
@Suite struct ExtractiveSummaryTests {
    @Test(arguments: [
        ("One sentence.", "One sentence."),
        ("First.\nSecond!  Third?", "First. Second! Third?"),
        ("Use e.g. this one. And more.", "Use e.g. this one. And more."),
        ("No full stop\n\nNext paragraph.", "No full stop Next paragraph."),
        ("  \n\n ", nil),
        ("", nil),
    ])
    func itIsTheFirstSentences(text: String, summary: String?) {
        #expect(ExtractiveSummary.of(text) == summary)
    }

    @Test func aSentenceThatDoesNotFitIsLeftOut() {
        let long = String(repeating: "Word ", count: 59) + "end."
        #expect(ExtractiveSummary.of("Short. \(long)") == "Short.")
        #expect(ExtractiveSummary.of("\(long) Next.") == long)
    }

    @Test func aFirstSentenceThatDoesNotFitIsCutBetweenWords() throws {
        let summary = try #require(ExtractiveSummary.of(String(repeating: "word ", count: 1_000)))
        #expect(summary.hasSuffix("word …") && (290...300).contains(summary.count))
        let oneWord = try #require(ExtractiveSummary.of(String(repeating: "x", count: 1_000)))
        #expect(oneWord.count == 300)
    }
}
