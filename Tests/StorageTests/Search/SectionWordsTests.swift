import Testing

@testable import Storage

@Suite("SectionWords", .serialized)
struct SectionWordsTests {
    private func weight(_ word: String, headings: [String] = ["Other"], text: String = "") -> Float {
        SectionWords(headings: headings, text: text).weights[word] ?? 0
    }

    @Test func aWordOfTheHeadingOutweighsAnyNumberInTheText() {
        let text = Array(repeating: "Vacuum is run.", count: 200).joined(separator: " ")
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
        #expect(Definitions.of(line).isEmpty)
    }

    @Test func aSectionMayBeEmpty() {
        #expect(SectionWords(headings: [], text: "").weights.isEmpty)
    }
}
