import Contract
import Testing

@testable import AgentRunner

@Suite(.serialized) struct ExtractiveAnswerTests {
    private func answer(_ question: String, _ sections: Section...) -> AnswerChecker {
        var passages = Passages()
        for (rank, section) in sections.enumerated() { passages.add(section, score: Double(20 - rank)) }
        var checker = AnswerChecker(passages: passages)
        let text = ExtractiveAnswer(question: question, passages: passages).text()
        _ = checker.consume(text ?? DocumentationAgent.unsupported)
        _ = checker.finish()
        #expect(checker.dropped == 0, "everything it says is supported")
        #expect(checker.saidUnsupported == (text == nil))
        return checker
    }

    @Test func aRowOfATableAnswersWithItsKey() {
        let checker = answer("How many columns can a table have?", Sections.vacuum, Sections.limits)
        #expect(checker.answer == "columns per table: 1,600; further limited by tuple size [1]")
        #expect(checker.citations[0].quote == "columns per table | 1,600 | further limited by tuple size")
    }

    private static let functions = Sections.section(
        3,
        "JSON Functions and Operators",
        """
        Table 9.45 shows the operators.

        json -> text → json
        Extracts JSON object field with the given key.

        json ->> integer → text
        json ->> text → text
        Extracts JSON object field with the given key, as text.

        lpad ( string text, length integer ) → text
        Extends the string to the given length by prepending spaces. If it is longer, it is truncated.
        """
    )

    @Test func anOperatorIsExplainedByItsEntry() {
        let checker = answer("what does ->> do", Sections.vacuum, Self.functions)
        #expect(checker.answer.hasSuffix("Extracts JSON object field with the given key, as text. [1]"))
        #expect(checker.answer.hasPrefix("json ->> integer → text, json ->> text → text: "))
    }

    @Test func anEntryMayBeAQuestion() {
        let arrays = Sections.section(
            7,
            "Array Functions",
            "anyarray && anyarray → boolean\nDo the arrays have any elements in common?"
        )
        #expect(answer("What does && do for arrays?", arrays, Self.functions).answer.contains("elements in common?"))
    }

    @Test func whatSomebodyWantsToDoIsAskedWithoutAQuestionToo() {
        #expect(Inquiry("drop a column that a view uses", among: []).kind == .method)
        #expect(Inquiry("Does it drop views it uses?", among: []).kind == .other)
    }

    @Test func whatTheBestSentenceLeavesOutIsSaidByTheNext() {
        let drop = Sections.section(
            8,
            "ALTER TABLE",
            "This form drops a column from a table. Indexes go as well. Say CASCADE if anything depends on it, such as views."
        )
        let checker = answer("drop a column that a view uses", drop, Sections.vacuum)
        #expect(
            checker.citations.map(\.quote) == [
                "This form drops a column from a table.", "Say CASCADE if anything depends on it, such as views.",
            ]
        )
    }

    @Test func aFunctionIsExplainedByItsEntry() {
        #expect(answer("What does lpad do?", Sections.vacuum, Self.functions).answer.contains("Extends the string"))
    }

    @Test func anOperatorThatDoesNotExistIsNotExplained() {
        #expect(answer("What does the ==>> operator do?", Sections.vacuum, Self.functions).saidUnsupported)
    }

    @Test func theHeadOfATableSaysWhatItsCellsAre() {
        let types = Sections.section(
            4,
            "Date/Time Types",
            "Name | Storage Size | Range\ntimestamp [ (p) ] [ without time zone ] | 8 bytes | 4713 BC\ndate | 4 bytes | 4713 BC"
        )
        let checker = answer("What is the storage size of a timestamp?", Sections.vacuum, types)
        #expect(checker.answer.hasPrefix("timestamp [ (p) ] [ without time zone ]: 8 bytes; 4713 BC [1]"))
    }

    @Test func whatSomebodyDoesToSomethingElseIsNoWayToDoIt() {
        let git = Sections.section(5, "Git", "With Git you make a copy of the code, with all its branches.")
        #expect(answer("How do I rename a branch in git?", git, Sections.vacuum).saidUnsupported)
    }

    @Test func theNumberOfAnItemIsNotQuoted() {
        let steps = Sections.section(6, "Upgrading", "1. Stop the old server before the upgrade.\n2. Run pg_upgrade.")
        let checker = answer("When should the old server be stopped for an upgrade?", steps)
        #expect(checker.citations.first?.quote == "Stop the old server before the upgrade.")
    }

    @Test func anExampleOfAskingTheQuestionIsNoAnswerToIt() {
        let example = Sections.section(
            1,
            "Use",
            "octavo ask \"How many columns can a table have?\""
        )
        #expect(answer("How many columns can a table have?", example).saidUnsupported)
        let both = answer("How many columns can a table have?", example, Sections.limits)
        #expect(both.answer.hasPrefix("columns per table"))
    }

    @Test func codeIsQuotedWithWhatAnnouncesIt() {
        let checker = answer("How do I add a column to a table?", Sections.columns, Sections.vacuum)
        #expect(
            checker.answer == """
                To add a column, use a command like:

                ```
                ALTER TABLE products ADD COLUMN description text;
                ``` [1]
                """
        )
        #expect(
            checker.citations[0].quote
                == "To add a column, use a command like:\n\nALTER TABLE products ADD COLUMN description text;"
        )
    }

    @Test func aDefinitionIsPreferredToAMention() {
        let mention = Sections.section(
            1,
            "Notes",
            "A tablespace may be full. The pg_global tablespace is used for catalogs."
        )
        let definition = Sections.section(
            2,
            "Tablespaces",
            "There is more. A tablespace is a place for the files of tables."
        )
        let checker = answer("What is a tablespace?", mention, definition)
        #expect(checker.answer.hasPrefix("A tablespace is a place for the files of tables. [1]"))
    }

    @Test func aSentenceThatPointsBackBringsTheOneBefore() {
        let section = Sections.section(
            1,
            "Queries",
            "Some statements take long. However, a signal cancels a running query at once. Other things are other things."
        )
        let checker = answer("How do I cancel a running query?", section)
        #expect(
            checker.answer == "Some statements take long. [1] However, a signal cancels a running query at once. [2]"
        )
    }

    @Test func aNameIsShownWhereTheTextLeavesItToTheHeading() {
        let section = Sections.section(
            1,
            "shared_buffers (integer)",
            "Sets the amount of memory. The default is typically 128 megabytes (128MB)."
        )
        let checker = answer("What is the default value of shared_buffers?", section)
        #expect(checker.answer.hasPrefix("shared_buffers: The default is typically 128 megabytes (128MB). [1]"))
    }

    @Test func itemsOfAListAreQuotedWithWhatAnnouncesThem() {
        let section = Sections.section(
            1,
            "Index Types",
            "The following index types are available:\n\n- B-tree, the usual one.\n\n- Hash, for equality.\n\nChoose well."
        )
        let checker = answer("Which index types are available?", section)
        #expect(
            checker.answer
                == "The following index types are available:\n\n- B-tree, the usual one. [1]\n- Hash, for equality. [2]"
        )
    }

    @Test(arguments: [
        "What is the capital of France?", "Who won the world cup?", "How do I cook rice?",
        "How do I configure the max_unicorns setting?", "What does the CREATE UNICORN command do?",
        "What is the default value of enable_quantum_planner?", "", "?", "the", "🦄",
        "How do I VACUUM a unicorn's rainbow castle?",
    ])
    func nothingIsSaidOfWhatTheManualDoesNotTreat(question: String) {
        let checker = answer(question, Sections.vacuum, Sections.limits, Sections.columns)
        #expect(checker.answer == "" && checker.saidUnsupported)
    }

    @Test(arguments: [
        "reclaim storage with vacuum?", "VACUUM STORAGE", "does vacuum reclaim the storage of dead tuples, please?",
    ])
    func oddWordingIsUnderstood(question: String) {
        #expect(answer(question, Sections.vacuum, Sections.limits).answer.contains("VACUUM reclaims storage"))
    }

    @Test func aPastedPageIsAQuestionToo() {
        let log = (0..<300).map { "line\($0) unrelated matter" }.joined(separator: "\n")
        _ = answer(
            log + "\nWhy does VACUUM not reclaim storage occupied by dead tuples?",
            Sections.vacuum,
            Sections.limits
        )
    }

    @Test func quotesThatLookLikeMarksSurvive() {
        let section = Sections.section(
            1,
            "Arrays",
            #"An array literal of arrays is written as '[[1, 2], [3]]' or "x"]] at times."#
        )
        #expect(answer("How is an array literal of arrays written?", section).citations.count == 1)
    }

    @Test func noSectionsGiveNoAnswer() {
        #expect(answer("What is VACUUM?").answer == "")
    }
}
