import Testing

@testable import AgentRunner

@Suite(.serialized) struct StatementTests {
    private func kinds(_ text: String) -> [Statement.Kind] { Statement.of(text).map(\.kind) }
    private func texts(_ text: String) -> [String] { Statement.of(text).map { String($0.text) } }

    @Test func runningTextIsCutIntoSentences() {
        let text = "It runs (see below.) It stops at 3.5 MB, e.g. here.\n\nNext one."
        #expect(texts(text) == ["It runs (see below.)", "It stops at 3.5 MB, e.g. here.", "Next one."])
        #expect(Statement.of(text).map(\.paragraph) == [0, 0, 1])
    }

    @Test func aTableIsCutIntoRowsUnderItsHead() {
        #expect(kinds("Item | Limit\ncolumns | 1,600\nrows | many") == [.label, .row, .row])
    }

    @Test func aListIsCutIntoItemsAndTheirFurtherSentences() {
        let text = "- First item. It goes on.\n- Second item.\n1. Third item."
        #expect(kinds(text) == [.item, .sentence, .item, .item])
        #expect(texts(text) == ["First item.", "It goes on.", "Second item.", "Third item."])
    }

    @Test func aTermIsQuotedWithItsFirstSentence() {
        let text = "SIGQUIT\nThis is the Immediate Shutdown mode. It is fast."
        #expect(kinds(text) == [.entry, .sentence])
        #expect(texts(text)[0] == "SIGQUIT\nThis is the Immediate Shutdown mode.")
    }

    @Test func aSignatureIsATermWhateverIsSaidOfIt() {
        let text =
            "floor ( numeric ) → numeric\nfloor ( real ) → real\nNearest integer below\nfloor(42.8) → 42\n\nNext one is here."
        #expect(kinds(text) == [.entry, .label, .sentence])
        #expect(texts(text)[0] == "floor ( numeric ) → numeric\nfloor ( real ) → real\nNearest integer below")
        #expect(
            kinds("lpad ( text ) → text\nExtends the string. It may grow.\nlpad('a', 2) → aa") == [
                .entry, .sentence, .label,
            ]
        )
        #expect(kinds("'a' || 'b' → ab") == [.label])
    }

    @Test func aReferencePagesPurposeCanBeQuoted() {
        #expect(kinds("TRUNCATE — empty a table") == [.sentence])
        #expect(kinds("4.2 — Limits") == [.label])
    }

    @Test func admonitionsAreNoTerms() {
        #expect(kinds("Note\nThis is only a remark.") == [.label, .sentence])
    }

    @Test func whatIsAnnouncedAndIsNoSentenceIsCode() {
        let text = "To add one, use this:\n\nALTER TABLE t ADD c text;\n\nSELECT 1;\n\nAfterwards it is there."
        #expect(kinds(text) == [.sentence, .code, .code, .sentence])
    }

    @Test func captionsAndTitlesAreNotQuoted() {
        #expect(kinds("Table K.1. Limitations") == [.label])
        #expect(kinds("There are two forms of it:\n\nRange Partitioning") == [.sentence, .label])
    }

    @Test func codeAndTextInOneParagraphAreKeptApart() {
        #expect(
            kinds("For example this one:\n\nSELECT f('x');\nThe name is hashed with care.") == [
                .sentence, .code, .sentence,
            ]
        )
    }

    @Test(arguments: ["", "\n\n", "   \n \n", "-", "|", " | ", "a | b", "```", "1.", "- "])
    func oddTextsAreTakenApartToo(text: String) {
        for statement in Statement.of(text) { #expect(text.contains(statement.text)) }
    }
}

@Suite(.serialized) struct ContentWordsTests {
    @Test func formsOfAWordMeet() {
        #expect(ContentWords.of("connection connections connect connecting") == Array(repeating: "connect", count: 4))
        #expect(ContentWords.of("stop stopping stopped stops") == Array(repeating: "stop", count: 4))
    }

    @Test func questionWordsAndRemainsOfContractionsAreLeftOut() {
        #expect(ContentWords.of("What's the server’s port? Doesn't it have one?") == ["serv", "port"])
    }

    @Test func capitalsAmongOtherWordsAreMeant() {
        #expect(ContentWords.of("WHERE is it").count == 1)
        #expect(ContentWords.of("where is it").isEmpty)
    }

    @Test func operatorsAreWordsAndNames() {
        #expect(
            ContentWords.of("json ->> text, a||b; x::int -- or ?! at --- end") == [
                "json", "->>", "text", "||", "b", "x", "::", "int", "end",
            ]
        )
        #expect(ContentWords.names(in: "what does ->> do") == ["->>"])
    }

    @Test func identifiersCommandsAndCharactersAreWords() {
        #expect(ContentWords.of(#"max_connections \d “custom” 索引"#) == ["max_connection", #"\d"#, "custom", "索", "引"])
    }
}
