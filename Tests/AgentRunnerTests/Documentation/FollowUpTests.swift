import Agents
import Contract
import Testing

@testable import AgentRunner

/// Questions that say nothing by themselves.
@Suite struct FollowUpTests {
    @Test(arguments: [
        "And in version 15?", "in version 15?", "How do I cancel it?", "What about replicas?", "until when?",
        "Version 15?",
        "But why?", "Are they logged?",
    ])
    func whatLeansOnTheQuestionBeforeItTakesItAlong(_ question: String) {
        let history: [Message] = [.user("What is max_connections?"), .assistant(text: "The most connections.")]
        let followUp = FollowUp(question, after: history)
        #expect(followUp.leans && followUp.whole == "What is max_connections?\n\(question)")
        #expect(followUp.readings[0].about.contains("max_connection"))
    }

    @Test(arguments: [
        "What is VACUUM?", "How do I dump one table of a database?", "Which setting limits the size of the log?",
        "How long may a frame be, and what happens with it when it is longer than allowed?",
    ])
    func whatSaysItselfWhatItIsAboutStandsAlone(_ question: String) {
        let followUp = FollowUp(question, after: [.user("What is max_connections?"), .assistant(text: "So.")])
        #expect(!followUp.leans && followUp.readings == [.init(text: question)])
    }

    @Test func whatNothingCameBeforeStandsAlone() {
        #expect(FollowUp("And why?", after: []).whole == "And why?")
    }

    @Test func questionsAreGoneBackToUntilOneStandsByItself() {
        let history: [Message] = ["What is VACUUM?", "What is max_connections?", "And in version 15?"].map { .user($0) }
        #expect(
            FollowUp("And how do I set it?", after: history).whole
                == "What is max_connections?\nAnd in version 15?\nAnd how do I set it?"
        )
    }

    @Test func aQuestionWithoutNamesAsksForNone() {
        let followUp = FollowUp("And when?", after: [.user("How do I request a day off?")])
        #expect(followUp.readings == [.init(text: "How do I request a day off?\nAnd when?")])
    }

    @Test func aVersionIsAskedForInABookOrPartThatIsAboutIt() {
        let followUp = FollowUp("And in version 15?", after: [.user("What is max_connections?")])
        #expect(followUp.readings == [.init(text: "What is max_connections?", about: ["max_connection", "15"])])
    }

    @Test func whatIsQuotedSpeaksOfWhatWasAskedFor() {
        func section(_ id: Int, _ headings: [String], _ text: String) -> Contract.Section {
            let book = Section.BookName(id: 1, title: "Server 15")
            return Section(id: id, book: book, headings: headings, file: "a.md", anchor: "", text: text)
        }
        var passages = Passages()
        passages.add(section(1, ["Release 15"], "A dump is not required for version 15."), score: 2)
        passages.add(section(2, ["max_connections"], "It determines the maximum number of connections."), score: 1)
        let answers = ["And in version 15?", "And in version 14?"].map { question in
            let followUp = FollowUp(question, after: [.user("What is max_connections?")])
            return followUp.readings.lazy.compactMap { reading in
                ExtractiveAnswer(question: reading.text, about: reading.about, passages: passages).text()
            }.first
        }
        #expect(answers[0]?.contains("determines") == true && answers[1] == nil)
    }

    @Test func queriesAreReadAsModelsWriteThem() {
        let said = "1. max_connections version 15\n- \"connection limit\"\n\n* 15 release notes\nmore\n"
        #expect(
            QueryWriter.queries(in: said) == ["max_connections version 15", "connection limit", "15 release notes"]
        )
        #expect(QueryWriter.queries(in: "\n" + String(repeating: "x", count: 500)) == [])
    }
}
