import Contract
import Testing
import Wire

@Suite struct RunEventTests {
    private static let section = Section(
        id: 7,
        book: Section.BookName(id: 1, title: "Handbook"),
        headings: ["Holidays"],
        file: "holidays.md",
        anchor: "",
        text: "Ask your lead."
    )

    static let bodies: [RunEvent.Body] = [
        .status("Finding a response…"),
        .search(query: "lead", hits: 3),
        .citation(Citation(number: 1, section: section, quote: "Ask your lead.")),
        .text("Ask your lead [1]"),
        .approval(
            ApprovalNotice(
                approval: 7,
                state: .pending,
                agent: "desk",
                tool: "order",
                expires: "2026-01-31T12:00:00.000Z"
            )
        ),
        .postponed(
            Postponement(attempt: 1, code: "unavailable", message: "It is away.", until: "2026-01-31T12:00:04.000Z")
        ),
        .restarted(attempt: 2),
        .finished(Outcome(state: .succeeded, answer: "Ask.", supported: true, model: "extractive")),
        .finished(
            Outcome(state: .failed, error: Outcome.Failure(code: "unavailable", message: "No."), model: "extractive")
        ),
    ]

    @Test(arguments: bodies)
    func whatIsWrittenIsReadAndWrittenTheSame(body: RunEvent.Body) throws {
        let event = RunEvent(sequence: 3, at: "2026-01-31T12:00:00.000Z", body: body)
        let text = try JSON(encoding: event)
        #expect(try text.decode(RunEvent.self) == event)
        // Byte-equal however often: readers who follow later get what readers who watched got.
        #expect(try JSON(encoding: text.decode(RunEvent.self)) == text)
    }

    @Test func anUnknownTypeIsRefusedAndByWhoeverOnlyShowsEventsPassedOver() throws {
        let event = try JSON(validating: #"{"sequence":1,"at":"","type":"sung","data":{}}"#)
        #expect(throws: DecodingError.self) { try event.decode(RunEvent.self) }
        #expect(try RunEvent.known(event) == nil)
        #expect(throws: DecodingError.self) { try RunEvent.known(.emptyObject) }
    }

    @Test(arguments: bodies) func everyTypeThereIsIsKnown(body: RunEvent.Body) throws {
        let event = RunEvent(sequence: 3, at: "2026-01-31T12:00:00.000Z", body: body)
        #expect(try RunEvent.known(JSON(encoding: event)) == event)
    }

    @Test func eventsThatAreWrittenAlreadyTravelAsTheyAre() throws {
        let events = [
            RunEvent(sequence: 2, at: "2026-01-31T12:00:00.000Z", body: .text("So.")),
            RunEvent(
                sequence: 3,
                at: "2026-01-31T12:00:00.000Z",
                body: .finished(Outcome(state: .succeeded, answer: "So.", model: "m"))
            ),
        ]
        let (run, texts) = (RunID.new(), try events.map { try JSON(encoding: $0) })
        let plain = AppendEvents(run: run, runner: "a", attempt: 1, events: events)
        let written = AppendEvents(run: run, runner: "a", attempt: 1, events: events, texts: texts)
        #expect(try written.encoded() == plain.encoded())
        #expect(try AppendEvents(decoding: written.encoded()).events == events)
    }
}
