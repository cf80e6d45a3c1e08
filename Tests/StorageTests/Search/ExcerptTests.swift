import Testing

@testable import Storage

@Suite("Excerpt", .serialized)
struct ExcerptTests {
    private func use(_ term: Int) -> Meaning.Use { Meaning.Use(term: term, confidence: 1) }

    private func excerpt(_ text: String, _ words: String..., headings: [String] = []) -> Excerpt {
        Excerpt(of: text, headings: headings, meaning: Meaning(words: words))
    }
    private let filler = Array(repeating: "Nothing of interest is said here.", count: 30).joined(separator: " ")

    @Test func aShortTextIsGivenWhole() {
        let found = excerpt("Run vacuum daily.", "vacuum")
        #expect(found.text == "Run vacuum daily.")
        #expect(found.words == ["vacuum"])
    }

    @Test func theMatchedWordsStandInIt() {
        let found = excerpt(filler + " Autovacuum prevents wraparound. " + filler, "wraparound", "prevent")
        #expect(found.text.contains("Autovacuum prevents wraparound."))
        #expect(found.text.hasPrefix("… ") && found.text.hasSuffix(" …"))
        #expect(found.words == ["prevents", "wraparound"])
    }

    @Test func theStretchWithMostDifferentWordsIsChosen() {
        let text = "Index index index. \(filler) An index speeds a query. \(filler)"
        #expect(excerpt(text, "index", "speed", "query").text.contains("An index speeds a query."))
    }

    @Test func formsOfOneWordAreNotSeveral() {
        let text = "Operators and operations. \(filler) The ->> operator gives text. \(filler)"
        let meaning = Meaning(words: ["->>", "operator"], stems: [("->>", use(0)), ("oper", use(1))])
        #expect(Excerpt(of: text, headings: [], meaning: meaning).text.contains("The ->> operator gives text."))
    }

    @Test func itBeginsWithTheSentence() {
        let found = excerpt(filler + " First of all, the server has to be stopped. " + filler, "server")
        #expect(found.text.hasPrefix("… First of all, the server has"))
    }

    @Test func aCompoundIsOneWord() {
        #expect(excerpt("Edit pg_hba.conf now.", "pg_hba.conf", "pg", "hba", "conf").words == ["pg_hba.conf"])
        #expect(excerpt("Edit pg_hba.conf now.", "conf").words == ["conf"])
    }

    @Test func wordsOfTheHeadingsAreNamedToo() {
        #expect(excerpt("Nothing.", "vacuum", headings: ["VACUUM", "Parameters"]).words == ["VACUUM"])
    }

    @Test(arguments: [
        ("query", "queri"), ("queries", "queri"), ("indexes", "index"), ("running", "run"), ("partitioning", "partit"),
        ("authentication", "authent"),
    ])
    func inflectedFormsMatchTheirStem(word: String, stem: String) {
        #expect(Meaning(stems: [(stem, use(3))]).term(of: word) == 3)
    }

    @Test func shortWordsMatchOnlyThemselves() {
        #expect(Meaning(stems: [("a", use(0)), ("in", use(1))]).term(of: "ins") == nil)
    }

    @Test func rowsAndCodeStandOnOneLine() {
        let found = excerpt("Name | Type\nport | integer\n\n    select   1;", "port")
        #expect(found.text == "Name | Type port | integer select 1;")
    }

    @Test(arguments: ["設定を変更する", "🙂👩‍👩‍👧‍👦", "e\u{301}", "x"])
    func aTextWithoutSpacesIsCutBetweenCharacters(piece: String) {
        let text = String(repeating: piece, count: 400)
        let shown = excerpt(text, "nothing").text
        #expect(shown.hasSuffix(" …"))
        #expect(text.hasPrefix(shown.dropLast(2)))
        #expect(shown.utf8.count < Excerpt.length + 60)
    }

    @Test func aLongWordBeforeTheMatchIsNoObstacle() {
        let found = excerpt(String(repeating: "x", count: 500) + " vacuum " + filler, "vacuum")
        #expect(found.text.hasPrefix("… vacuum"))
    }

    @Test(arguments: 0..<120)
    func theWordIsInsideWhereverItStands(offset: Int) {
        let text = String(repeating: "ö ", count: offset) + "vacuum" + String(repeating: " ü", count: 300)
        #expect(excerpt(text, "vacuum").text.contains("vacuum"))
    }

    @Test func anEmptyTextHasAnEmptyExcerpt() {
        let found = excerpt("", "vacuum")
        #expect(found.text.isEmpty && found.words.isEmpty)
    }
}
