import Contract
import Testing

@testable import Storage

@Suite("Ranking", .serialized)
struct RankingTests {
    private func candidate(
        _ id: Int,
        _ headings: [String],
        text: String = "",
        file: String? = nil,
        score: Double = 10,
        coverage: Double = 1
    ) -> Candidate {
        Candidate(
            id: id,
            book: Section.BookName(id: 1, title: "Manual"),
            headings: headings,
            file: file ?? "\(id).html",
            anchor: "",
            text: text,
            score: score,
            coverage: coverage
        )
    }

    private func order(_ query: String, _ candidates: [Candidate]) -> [Int] {
        let query = SearchQuery(query)
        return Ranking(query, Meaning(words: query.terms.map(\.word))).order(candidates).map(\.id)
    }

    @Test func allWordsCountMoreThanSomeOften() {
        let some = candidate(1, ["Replication"], score: 16, coverage: 0.5)
        let all = candidate(2, ["Monitoring"], score: 12, coverage: 1)
        #expect(order("replication lag", [some, all]) == [2, 1])
    }

    @Test func theHeadingThatSaysJustWhatWasAskedComesFirst() {
        #expect(
            order("merge", [candidate(1, ["38.15.6. MERGES"]), candidate(2, ["SQL Commands", "MERGE"])]) == [2, 1]
        )
        #expect(order("work_mem", [candidate(1, ["Memory"]), candidate(2, ["work_mem (integer)"])]) == [2, 1])
    }

    @Test func wordsTogetherCountMoreThanWordsApart() {
        let apart = candidate(1, ["Reading"], text: "The text is full. A search follows.")
        let together = candidate(2, ["Reading"], text: "About Full\ntext search.")
        let heading = candidate(3, ["12. Full Text Search Functions"])
        #expect(order("full text search", [apart, together, heading]) == [3, 2, 1])
    }

    @Test func aPageThatIsAboutItComesBeforeOneThatMentionsIt() {
        let alone = candidate(1, ["Progress"], file: "progress.html", score: 11)
        let about = (2...4).map { candidate($0, ["Vacuum"], file: "vacuum.html", score: 10) }
        #expect(order("space", [alone] + about).first == 2)
    }

    @Test func onePageDoesNotFillTheAnswer() {
        let page = (1...8).map { candidate($0, ["Part \($0)"], file: "long.html", score: 10) }
        let other = candidate(9, ["Other"], file: "other.html", score: 9)
        let found = order("something", page + [other])
        #expect((found.firstIndex(of: 9) ?? 99) < 5)
    }

    @Test(arguments: [
        "Release Notes", "Appendix E. Release Notes", "What's New in 3.11", "Changelog", "Acknowledgments", "Index",
    ])
    func whatOnlyRecordsChangesComesLater(heading: String) {
        let notes = candidate(1, [heading, "Server"], score: 12)
        #expect(order("vacuum speed", [notes, candidate(2, ["Vacuuming"])]) == [2, 1])
    }

    @Test func releaseNotesThatWereAskedForAreMeant() {
        let notes = candidate(1, ["Release Notes", "Server"], score: 12)
        #expect(order("release notes vacuum", [notes, candidate(2, ["Vacuuming"])]) == [1, 2])
    }

    @Test func anIndexOfATableIsNoBackMatter() {
        #expect(!BackMatter(askedFor: "speed").contains(Heading("11.2. Index Types")))
    }

    @Test(arguments: [
        ("20.3.1. Connection Settings", "connection settings"), ("Chapter 5. Data Definition", "data definition"),
        ("work_mem (integer)", "work_mem"), ("E.21.3. Changes", "changes"), ("9 Lives", "9 lives"), ("MERGE", "merge"),
        ("Part", "part"), ("5.", "5."), ("", ""), ("(none)", "(none)"),
    ])
    func aHeadingsNameIsWithoutItsNumber(heading: String, name: String) {
        #expect(Heading(heading).name == name)
    }

    @Test func equalSectionsKeepTheirOrder() {
        let same = (1...5).map { candidate($0, ["Same"]) }
        #expect(order("other", same.reversed()) == [1, 2, 3, 4, 5])
        #expect(order("other", []).isEmpty)
    }

    @Test func theHeadingWithFewerOtherWordsComesFirst() {
        let more = candidate(1, ["FDW Routines for ANALYZE"])
        #expect(order("analyze", [more, candidate(2, ["ANALYZE Notes"])]) == [2, 1])
    }

    @Test func aChapterAboutSomethingElseComesLater() {
        let embedded = candidate(1, ["ECPG Embedded SQL in C", "Arrays"])
        #expect(order("arrays", [embedded, candidate(2, ["Data Types", "Arrays"])]) == [2, 1])
        #expect(order("ecpg arrays", [embedded, candidate(2, ["Data Types", "Arrays"], coverage: 0.5)]) == [1, 2])
    }
}
