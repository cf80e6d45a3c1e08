import Testing

@testable import AgentRunner

@Suite(.serialized) struct ClaimSplitterTests {
    private func claims(_ text: String) -> [ClaimSplitter.Claim] {
        var splitter = ClaimSplitter(sections: [12, 14])
        return splitter.append(text) + splitter.finish()
    }

    @Test func aMarkBehindASentenceBelongsToIt() {
        let claims = claims(#"VACUUM reclaims storage. [[12: "reclaims storage"]] It is slow. [[14]]"#)
        #expect(claims.map(\.text) == ["VACUUM reclaims storage.", "It is slow."])
        #expect(claims.map(\.marks) == [[Mark(section: 12, quote: "reclaims storage")], [Mark(section: 14)]])
    }

    @Test func aMarkBeforeThePointBelongsToTheSentence() {
        let claims = claims(#"VACUUM reclaims storage [[12: "reclaims storage"]]. It is slow [[14: "it is slow"]]."#)
        #expect(claims.map(\.text) == ["VACUUM reclaims storage.", "It is slow."])
    }

    @Test func marksWithinASentenceMakeItsParts() {
        let claims = claims(#"It is fast [[1: "it is fast"]], and it is safe [[2: "it is safe"]]."#)
        #expect(claims.count == 1)
        #expect(claims[0].segments.map(\.text) == ["It is fast ", ", and it is safe."])
        #expect(claims[0].marks.map(\.section) == [1, 2])
    }

    @Test func severalMarksStandBehindOneSentence() {
        let claims = claims(#"It is so. [[1: "so it is"]] [[2: "it is so"]][[3]]"# + "\n[[4]]")
        #expect(claims.count == 1)
        #expect(claims[0].marks.map(\.section) == [1, 2, 3, 4])
    }

    @Test(arguments: [
        (#"x [[12: "an array [[1, 2]] of arrays"]]"#, "an array [[1, 2]] of arrays"),
        (#"x [[12: "say \"hello\" to a[1]"]]"#, #"say \"hello\" to a[1]"#),
        ("x [[12: “typographic words”]]", "typographic words"),
        ("x [[12: «mots»]]", "mots"),
        ("x [[12: 'single words']]", "single words"),
        ("x [[12: without any]]", "without any"),
        ("x [[ 12 : \"spaces\" ]]", "spaces"),
        ("x [[Section 12: \"named\"]]", "named"),
        ("x [[#12: \"named\"]]", "named"),
        ("x [[12: \"two\nlines\"]]", "two\nlines"),
        ("x [[12, \"a comma\"]]", "a comma"),
        ("x [[12: \"ends with a point\".]]", "ends with a point"),
    ])
    func aQuoteIsWhatStandsBetweenTheMarks(text: String, quote: String) {
        #expect(claims(text).flatMap(\.marks) == [Mark(section: 12, quote: quote)])
        #expect(claims(text).map { $0.text.trimmingPrefix(" ") }.first?.hasPrefix("x") == true)
    }

    @Test func singleBracketsNameSectionsToo() {
        let claims = claims(
            "It is so [12]. It was so [12, 14]. See [this](https://example.org) and a[1] and [a]. [77] Sort [1, 2]."
        )
        #expect(claims.map { $0.marks.map(\.section) } == [[12], [12, 14], [77], []])
        #expect(claims[2].text == "See [this](https://example.org) and a[1] and [a].")
        #expect(claims[3].text == "Sort [1, 2].")
    }

    @Test(arguments: [
        "if [[ -f file ]]; then", "the array [[1, 2], [3]] is", "a[1][2] is", "[x] is done", "[[wiki]] is",
    ])
    func otherBracketsAreText(text: String) {
        #expect(claims(text).map(\.text) == [text])
        #expect(claims(text).allSatisfy { $0.marks.isEmpty })
    }

    @Test func listsHeadingsAndTablesAreCutByLines() {
        let claims = claims("# Title\n\n1. First. Then\n2. Second\n- Third\n| a. b | c |\nlast")
        #expect(claims.map(\.text) == ["# Title", "1. First.", "Then", "2. Second", "- Third", "| a. b | c |", "last"])
        #expect(claims.map(\.space) == ["", "\n\n", " ", "\n", "\n", "\n", "\n"])
    }

    @Test func aBlockOfCodeIsOneClaim() {
        let claims = claims("So:\n```sql\nSELECT 1. 2;\n\nSELECT [[1, 2]];\n```\n[[12: \"SELECT 1\"]] Next.")
        #expect(claims.map(\.text) == ["So:", "```sql\nSELECT 1. 2;\n\nSELECT [[1, 2]];\n```", "Next."])
        #expect(claims[1].marks == [Mark(section: 12, quote: "SELECT 1")])
    }

    @Test func aBlockOfCodeThatIsNeverClosedIsStillAClaim() {
        #expect(claims("```\nSELECT 1;").map(\.text) == ["```\nSELECT 1;"])
    }

    @Test func fullWidthStopsEndSentences() {
        let claims = claims("データベースは速い。[[12: \"データベース\"]]とても速い！本当？「はい。」終わり")
        #expect(claims.map(\.text) == ["データベースは速い。", "とても速い！", "本当？", "「はい。」", "終わり"])
        #expect(claims[0].marks == [Mark(section: 12, quote: "データベース")])
    }

    @Test func pointsWithinWordsAndBehindAbbreviationsEndNothing() {
        let text = "It takes 3.5 MB, e.g. for pg_hba.conf of J. Smith (see above.) at v1.2"
        #expect(
            claims(text).map(\.text) == ["It takes 3.5 MB, e.g. for pg_hba.conf of J. Smith (see above.)", "at v1.2"]
        )
    }

    @Test(arguments: ["", " ", "\n\n \t", "<think>nothing else</think>", "<think>never closed"])
    func nothingMakesNoClaim(text: String) {
        #expect(claims(text).isEmpty)
    }

    @Test func whatAModelThinksAloudIsLeftOut() {
        #expect(claims("\n<think>Perhaps so. Or not.</think>\n\nIt is so.").map(\.text) == ["It is so."])
        #expect(claims("a <think> b").map(\.text) == ["a <think> b"])
    }

    @Test func aMarkThatIsNeverClosedTakesItsLineOnly() {
        #expect(claims("So it is. [[12: \"quoted\nNext.").map(\.text) == ["So it is.", "Next."])
        #expect(claims("So it is [[12: \"quoted").map(\.text) == ["So it is "])
    }

    @Test func textWithoutAnEndIsCutAndNotGathered() {
        var splitter = ClaimSplitter()
        var count = 0
        for _ in 0..<400 { count += splitter.append(String(repeating: "word ", count: 20)).count }
        #expect(count >= 4)
        let rest = splitter.finish()
        #expect(rest.allSatisfy { $0.text.utf8.count <= 8_000 })
    }

    @Test func aClaimIsGivenAsSoonAsItsEndIsCertain() {
        var splitter = ClaimSplitter()
        #expect(splitter.append("It is so.").isEmpty)
        #expect(splitter.append(" ").isEmpty)
        #expect(splitter.append("[").isEmpty)
        #expect(splitter.append("[12: \"so\"]]").isEmpty)
        #expect(splitter.append(" N").map(\.text) == ["It is so."])
    }
}
