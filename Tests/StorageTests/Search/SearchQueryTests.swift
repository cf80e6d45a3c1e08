import Testing

@testable import Storage

@Suite("SearchQuery", .serialized)
struct SearchQueryTests {
    private func words(_ text: String) -> [String] { SearchQuery(text).terms.map(\.word) }

    @Test func stopWordsAreLeftOutOfAQuestion() {
        #expect(words("how do I change the type of a column") == ["change", "type", "column"])
    }

    @Test func stopWordsAloneAreMeant() {
        #expect(words("WHERE") == ["=WHERE", "where"])
        #expect(words("in") == ["in"])
    }

    @Test func aWordIsLookedUpOnce() {
        #expect(words("index Index index") == ["index"])
    }

    @Test func anIdentifierIsWorthMoreThanItsParts() throws {
        let terms = SearchQuery("work_mem").terms
        let whole = try #require(terms.first { $0.word == "work_mem" })
        #expect(terms.filter { $0 != whole }.allSatisfy { $0.factor < whole.factor })
    }

    @Test(arguments: [("vaccum", true), ("max_conections", true), ("log", false), ("40001", false), ("23p01", true)])
    func onlyWordsOfFourLettersAndMoreMayBeMisspelt(word: String, expected: Bool) throws {
        #expect(try #require(SearchQuery(word).terms.first).mayBeMisspelt == expected)
    }

    @Test func wordsThatPhraseAQuestionAreWorthLess() {
        let terms = SearchQuery("pick several indexes together").terms
        #expect(terms.map(\.word) == ["pick", "several", "indexes", "together"])
        #expect(terms.filter { $0.factor < 1 }.map(\.word) == ["pick", "several", "together"])
    }

    @Test func sharperFormsAreExtra() {
        let extra = SearchQuery("SELECT now() --jobs").terms.filter(\.isExtra).map(\.word)
        #expect(extra == ["=SELECT", "now()", "--jobs"])
    }

    @Test func neighboursMayBeOneWord() {
        let query = SearchQuery("check point timeout")
        let others = Set(query.alternatives.map(\.word))
        #expect(others.isSuperset(of: ["checkpoint", "check_point", "check-point", "pointtimeout"]))
        #expect(query.alternatives.filter { $0.word == "checkpoint" }.map(\.term) == [0, 1])
    }

    @Test func aSynonymEarnsLessThanTheWord() {
        let query = SearchQuery("kill query")
        let synonym = query.alternatives.filter { $0.word == "terminate" }
        #expect(synonym.map(\.term) == [0])
        #expect(synonym.allSatisfy { $0.confidence < 1 })
        #expect(!SearchQuery("views").alternatives.contains { $0.word == "show" })
    }

    @Test func aPastedPageIsCut() {
        let page = (0..<500).map { "word\($0)" }.joined(separator: " ")
        #expect(SearchQuery(page).terms.count == SearchQuery.maximumWords)
        #expect(SearchQuery(page).terms.count { $0.mayBeMisspelt } == SearchQuery.maximumCorrected)
        let places = SearchQuery(page).terms.indices
        #expect(SearchQuery(page).alternatives.allSatisfy { places.contains($0.term) })
    }

    @Test(arguments: ["", "  ", "?!", "\n", "—", "→"])
    func aQueryWithoutWordsHasNoTerms(text: String) {
        #expect(SearchQuery(text).terms.isEmpty)
    }

    @Test func thePhraseHasNoPunctuation() {
        #expect(SearchQuery("Full  text\nsearch?").phrase == "full text search")
    }
}
