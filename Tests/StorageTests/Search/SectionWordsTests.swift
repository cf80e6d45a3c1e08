import Testing

@testable import Storage

@Suite("SectionWords", .serialized)
struct SectionWordsTests {
    private func weight(_ word: String, headings: [String] = ["Other"], text: String = "") -> Float {
        SectionWords(headings: headings, text: text).weights[word] ?? 0
    }

    @Test func aWordOfTheHeadingOutweighsAnyNumberInTheText() {
        let text = "About it. " + Array(repeating: "Vacuum is run.", count: 200).joined(separator: " ")
        #expect(weight("vacuum", headings: ["Vacuum"]) >= weight("vacuum", text: text))
    }

    @Test func theOwnHeadingCountsMoreThanThoseAbove() {
        #expect(weight("backup", headings: ["Backup", "Other"]) > 0)
        #expect(weight("backup", headings: ["Other", "Backup"]) > weight("backup", headings: ["Backup", "Other"]))
    }

    @Test func aLongHeadingSaysLessOfEachWord() {
        let long = "Backup and restore of large databases over slow networks"
        #expect(weight("backup", headings: [long]) < weight("backup", headings: ["Backup"]))
    }

    @Test func oneMentionInAShortTextCountsMoreThanInALong() {
        let filler = (0..<400).map { "word\($0)" }.joined(separator: " ")
        #expect(weight("vacuum", text: "Run vacuum.") > weight("vacuum", text: "Run vacuum. " + filler))
    }

    @Test func stopWordsAreIndexedInHeadingsOnly() {
        #expect(weight("where", headings: ["WHERE"]) > 0)
        #expect(weight("where", text: "where it is") == 0)
    }

    @Test(arguments: [
        ("nextval", "nextval ( regclass ) → bigint"), ("40p01", "40P01 | deadlock_detected"), ("jobs", "--jobs=njobs"),
        ("--jobs", "--jobs=njobs"), ("\\timing", "\\timing [ on | off ]"), ("work_mem", "work_mem"),
        ("os.path.join", "os.path.join(path, *paths)"),
    ])
    func aWordALineDefinesCountsMore(word: String, line: String) {
        #expect(weight(word, text: line) > weight(word, text: "One may see " + line))
    }

    @Test(arguments: ["However, it works", "Description", "Name", "Vacuum is run by a daemon", "see also", ""])
    func ordinaryLinesDefineNothing(line: String) {
        let definitions = Definitions(in: line)
        #expect(definitions.names.isEmpty && definitions.signatures.isEmpty)
    }

    @Test(arguments: [
        ("json ->> integer → text", "->>"), ("text || text → text", "||"), ("current_user → name", "current_user"),
        ("pg_sleep ( double precision ) → void", "pg_sleep"),
    ])
    func aSignatureDefinesItsNameOrItsOperator(line: String, word: String) {
        #expect(Definitions(in: line).signatures.contains(word))
    }

    @Test(arguments: ["'a' || 'b' → ab", "a @> b AND c <@ d → true", "The → sign", "→"])
    func anExampleIsNoSignature(line: String) {
        #expect(Definitions(in: line).signatures.isEmpty)
    }

    @Test func theFirstSentenceSaysWhatASectionIsAbout() {
        let first = weight("vacuum", text: "Vacuum is run by a daemon. It takes a while.")
        #expect(first > weight("vacuum", text: "It takes a while. Vacuum is run by a daemon."))
    }

    @Test func thePagesFirstSentenceIsAboutAllItsSections() {
        let weights = SectionWords(
            headings: ["Notes"],
            text: "See there.",
            pageBegin: "REVOKE — remove privileges. And so on."
        )
        .weights
        #expect(weights["privileges"] ?? 0 > 0)
        #expect(weights["so"] == nil)
    }

    /// When this fails, the version grows with it: books imported before keep their old words otherwise.
    @Test func theVersionSaysThatWordsHaveChanged() {
        let text = """
            Indices speed up max_connections queries. The work_mem setting is described in config.html; run pg_dump --jobs=4 ON it.

            lpad ( string text ) → text
            Extends it.
            json ->> integer → text
            Extracts it. Use \\timing, '5'::int, isn't it? Größe behaviour camelCase 40P01
            """
        let words = SectionWords(
            headings: ["1. Setting Up", "now() and WHERE"],
            text: text,
            pageBegin: "Begin — here."
        )
        let sum = words.weights.sorted { $0.key < $1.key }.enumerated()
            .reduce(0) { $0 + Double($1.offset + 1) * Double($1.element.value) }
        #expect(SectionWords.version == 2)
        #expect(words.weights.count == 52)
        #expect(abs(sum - 1827.83) < 0.01)
    }

    @Test func aSectionMayBeEmpty() {
        #expect(SectionWords(headings: [], text: "").weights.isEmpty)
    }
}
