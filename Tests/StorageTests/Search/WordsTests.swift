import Testing

@testable import Storage

@Suite("Words", .serialized)
struct WordsTests {
    private func texts(_ text: String) -> [String] { Words.of(text).map(\.text) }

    @Test func plainWordsAreLoweredAndKeepTheirOrder() {
        #expect(texts("Rebuild the Index, then analyze.") == ["rebuild", "the", "index", "then", "analyze"])
    }

    @Test(arguments: [
        ("max_connections", ["max_connections", "max", "connections"]),
        ("pg_hba.conf", ["pg_hba.conf", "pg", "hba", "conf"]),
        ("maxConnections", ["maxconnections", "max", "connections"]),
        ("wal-level", ["wal-level", "wal", "level"]),
        ("__init__", ["__init__", "init"]),
    ])
    func aCompoundGivesTheWholeAndItsParts(text: String, words: [String]) {
        #expect(texts(text) == words)
        #expect(Words.of(text).first?.kind == .identifier)
        #expect(Words.of(text).dropFirst().allSatisfy { $0.kind == .part })
    }

    @Test func capitalsAreKeptBesideTheWord() {
        #expect(texts("ON CONFLICT") == ["=ON", "on", "=CONFLICT", "conflict"])
        #expect(texts("On A") == ["on", "a"])
    }

    @Test func aNameBeforeAParenthesisIsAFunction() {
        #expect(texts("now()") == ["now()", "now"])
        #expect(texts("now ()") == ["now"])
    }

    @Test func aCommandKeepsItsBackslashAndAnOptionItsDashes() {
        #expect(texts("\\copy") == ["\\copy", "copy"])
        #expect(texts("--jobs=4") == ["--jobs", "jobs", "4"])
        #expect(texts("[--no-owner]") == ["no-owner", "--no-owner", "no", "owner"])
    }

    @Test(arguments: ["a--b", "---b", "<!--b"])
    func dashesInsideOtherSignsMakeNoOption(text: String) {
        #expect(!texts(text).contains("--b"))
    }

    @Test(arguments: ["->>", "@>", "||", "::", "<=>"])
    func operatorsStandForThemselves(sign: String) {
        #expect(texts("a \(sign) b") == ["a", sign, "b"])
    }

    @Test(arguments: ["-", "-----", "=====", "***********", "+"])
    func rulesAndSingleSignsAreNoOperators(signs: String) {
        #expect(texts("a \(signs) b") == ["a", "b"])
    }

    @Test(arguments: [
        "“postgres”", "postgres…", "→postgres", "postgres—", "\u{A0}postgres\u{A0}", "«postgres»", "「postgres」",
    ])
    func typographicSignsAreNoPartOfAWord(text: String) {
        #expect(texts(text) == ["postgres"])
    }

    @Test(arguments: ["größe", "données", "настройка", "設定", "ⴰⵣⵓⵍ"])
    func lettersOfOtherLanguagesAreWords(word: String) {
        #expect(texts("(\(word))") == [word])
    }

    @Test func irregularFormsAreBroughtTogether() {
        #expect(texts("Indices") == texts("indexes"))
        #expect(texts("analyse") == texts("analyze"))
    }

    @Test func aVeryLongCompoundGivesItsPartsOnly() {
        let long = Array(repeating: "part", count: 20).joined(separator: "/")
        #expect(Set(texts(long)) == ["part"])
        #expect(texts(String(repeating: "x", count: 65)).isEmpty)
    }

    @Test func aRangeSaysWhereTheWordStands() {
        let text = "«größe» max_size"
        for word in Words.of(text) where word.kind != .part {
            #expect(String(decoding: Array(text.utf8)[word.range], as: UTF8.self) == word.text)
        }
    }

    @Test(arguments: ["", " ", "_", "___", ".", "a.", ".a", "a_", "\\", "--", "\u{0}", "🙂", "e\u{301}", "a\u{2014}"])
    func anyTextIsTakenApart(text: String) {
        #expect(Words.of(text).allSatisfy { $0.range.upperBound <= text.utf8.count && !$0.range.isEmpty })
    }
}
