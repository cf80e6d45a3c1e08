import Testing

@testable import Storage

@Suite("Nearness", .serialized)
struct NearnessTests {
    private func share(_ text: String, of words: [String], stems: [(String, Meaning.Use)] = []) -> Double {
        Nearness(of: Array(words.indices), meaning: Meaning(words: words, stems: stems)).share(of: text)
    }

    @Test(arguments: [
        ("Change the Type\nof it", 0.75), ("types changed", 1), ("TYPE, CHANGE", 1), ("change_type()", 1),
        ("change a b c type", 0.25), ("change a b c d type", 0), ("change", 0), ("", 0),
    ])
    func twoWordsStandTogether(text: String, share: Double) {
        #expect(self.share(text, of: ["chang", "type"]) == share)
    }

    @Test func everyPairOfNeighboursCounts() {
        #expect(share("change it; the column type", of: ["change", "column", "type"]) == (0.5 + 1) / 2)
    }

    @Test func whatASynonymSaysCountsAsMuchAsItIsSure() {
        let use = Meaning.Use(term: 0, confidence: 0.5)
        #expect(share("alter type", of: ["change", "type"], stems: [("alter", use)]) == 0.5)
    }

    @Test func theLongestStemIsMeant() {
        let stems = [("ind", Meaning.Use(term: 0, confidence: 1)), ("indexing", Meaning.Use(term: 1, confidence: 1))]
        #expect(share("ind indexing", of: ["a", "b"], stems: stems) == 1)
    }

    @Test func queriesIsAFormOfQuery() {
        #expect(share("slow query", of: ["slow", "queri"]) == 1)
    }

    @Test func oneWordIsNearNothing() {
        #expect(share("type type", of: ["type"]) == 0)
        #expect(share("type", of: []) == 0)
    }

    @Test func textBeyondASCIIIsRead() {
        #expect(share("Größe der Tabelle: größe tabelle", of: ["größe", "tabelle"]) == 1)
    }
}
