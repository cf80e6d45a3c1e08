import Contract
import NIOHTTP1
import RPC
import TestSupport
import Testing
import Wire

/// The gateway's half that people meet: requests that are wrong, and what they are told.
@Suite(.serialized) struct HTTPTests {
    @Test func whatIsWrongIsAProblemWithAnInstruction() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            let http = HTTP(house: house)
            let cases: [(HTTP.Answer, Int, String)] = [
                (try await http.post("/v1/ask", "not json"), 400, "invalid_argument"),
                (try await http.post("/v1/ask", #"{"question":"a","question":"b"}"#), 400, "invalid_argument"),
                (try await http.post("/v1/ask", #"{"question":"   "}"#), 400, "invalid_argument"),
                (try await http.post("/v1/ask", #"{"question":"x","agent":"nobody"}"#), 400, "invalid_argument"),
                (try await http.post("/v1/ask", #"{"question":"x","run":"7"}"#), 400, "invalid_argument"),
                (
                    try await http.post("/v1/ask", #"{"question":"\#(String(repeating: "x", count: 70_000))"}"#), 413,
                    "invalid_argument"
                ),
                (try await http.get("/v1/books/7"), 404, "not_found"),
                (try await http.get("/v1/books/seven"), 400, "invalid_argument"),
                (try await http.get("/v1/books/1?limit=0"), 400, "invalid_argument"),
                (try await http.get("/v1/sections/7"), 404, "not_found"),
                (try await http.get("/v1/search"), 400, "invalid_argument"),
                (try await http.get("/v1/search?q=x&limit=51"), 400, "invalid_argument"),
                (try await http.get("/v1/runs/\(RunID.new())"), 404, "not_found"),
                (try await http.get("/v1/runs/\(RunID.new())/events"), 404, "not_found"),
                (try await http.get("/v1/nothing"), 404, "not_found"),
            ]
            for (answer, status, code) in cases {
                #expect(answer.status == status, "\(answer.body)")
                #expect(answer.string("code") == code, "\(answer.body)")
                #expect(answer.headers.first(name: "content-type") == "application/problem+json")
                #expect(answer.string("type") == "urn:octavo:error:\(code)")
                #expect(answer.json?.member("status")?.integer == status)
                #expect(answer.string("title")?.isEmpty == false)
                #expect(answer.string("detail")?.hasSuffix(".") == true, "\(answer.body)")
            }
        }
    }

    @Test func aQueryThatIsNotTakenAsItStandsIsRefused() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            let http = HTTP(house: house)
            for path in [
                "runs/\(RunID.new())?x=1", "sections/1?x=1", "agents?x=1", "readers/1?x=1", "books?limit=1&limit=2",
                "search?q=%ff", "search?q=%00",
            ] {
                let answer = try await http.get("/v1/\(path)")
                #expect(answer.status == 400 && answer.string("code") == "invalid_argument", "\(path): \(answer)")
            }
            let asked = try await http.post("/v1/ask?agent=echo", #"{"question":"How?"}"#)
            #expect(asked.status == 400, "\(asked)")
            let fine = try await http.get("/v1/search?q=50%25+%C3%BC&limit=1")
            #expect(fine.status == 200, "\(fine)")
        }
    }

    @Test func aBodyMayHaveSeveralLines() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            let answer = try await HTTP(house: house).post("/v1/ask", "{\n\t\"question\": \"How?\"\r\n}\n")
            #expect(answer.status == 200, "\(answer.body)")
        }
    }

    @Test func withoutADatabaseTheServicesRunAndSayWhatIsMissing() async throws {
        try await TestHouse.run(database: nil) { house in
            let http = HTTP(house: house)
            let live = try await http.get("/livez")
            #expect(live.status == 200)
            try await eventually { try await http.get("/readyz").body.contains("no database configured") }
            let ready = try await http.get("/readyz")
            #expect(ready.status == 503)
            let search = try await http.get("/v1/search?q=x")
            #expect(search.status == 503)
            #expect(search.string("code") == "unavailable")
            #expect(search.string("retry") == "no")
            let question = try await http.ask("How do I request a day off?")
            #expect(question.status == 503)
            #expect(question.string("detail")?.contains("DATABASE_URL") == true)
        }
    }

    @Test func booksComeWithTheirAuthorsAndPagesOfTheirSections() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            try await house.importBook("Handbook", handbook, authors: ["Ada", "Grace"])
            let http = HTTP(house: house)
            let list = try await http.get("/v1/books")
            let books = try JSON(validating: list.body).decode(ListBooks.Result.self).books
            let summary = try #require(books.first)
            #expect(summary.authors == ["Ada", "Grace"])

            let whole = try JSON(validating: try await http.get("/v1/books/\(summary.id)").body).decode(Book.self)
            #expect(whole.authors.map(\.name) == ["Ada", "Grace"])
            #expect(whole.sections.count == whole.sectionCount)
            #expect(whole.next == nil)

            var paged: [Book.Entry] = []
            var after = 0
            while true {
                let page = try await http.get("/v1/books/\(summary.id)?limit=2&after=\(after)")
                let book = try JSON(validating: page.body).decode(Book.self)
                paged += book.sections
                guard let next = book.next else { break }
                after = next
            }
            #expect(paged == whole.sections)
        }
    }

    @Test func theLastPageOfABookIsSaidToBeTheLast() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            try await house.importBook("Handbook", handbook)
            let http = HTTP(house: house)
            let whole = try JSON(validating: try await http.get("/v1/books/1").body).decode(Book.self)
            let exact = try await http.get("/v1/books/1?limit=\(whole.sections.count)")
            #expect(try JSON(validating: exact.body).decode(Book.self) == whole)
            let last = try #require(whole.sections.last)
            let beyond = try await http.get("/v1/books/1?after=\(last.id)")
            #expect(beyond.status == 200)
            #expect(beyond.json?.member("sections")?.description == "[]")
        }
    }

    @Test func aPageBehindASectionThatIsGoneIsRefused() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            try await house.importBook("Handbook", handbook)
            let http = HTTP(house: house)
            let before = try JSON(validating: try await http.get("/v1/books/1").body).decode(Book.self)
            try await house.importBook("Handbook", ["new.md": "# New\n\nAll is new."])
            for after in [try #require(before.sections.first).id, 999_999] {
                let gone = try await http.get("/v1/books/1?after=\(after)")
                #expect(gone.status == 409, "\(gone.body)")
                #expect(gone.string("code") == "failed_precondition")
                #expect(gone.string("detail")?.contains("first page") == true)
            }
            let none = try await http.get("/v1/books/7?after=999999")
            #expect(none.status == 404)
        }
    }

    @Test func aRunFromAheadOfTimeIsRefusedWhereverItIsStarted() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            let http = HTTP(house: house)
            let run = try #require(RunID("ffffffff-ffff-7fff-bfff-ffffffffffff"))
            let asked = try await http.post("/v1/ask", #"{"question":"How?","run":"\#(run)"}"#)
            #expect(asked.status == 400)
            #expect(asked.string("detail")?.contains("\"run\"") == true, "\(asked.body)")
            let question = Question(text: "How?", channel: .http)
            await #expect { try await self.start(run, question, house) } throws: { Self.isAhead($0) }
            await #expect { try await self.open(run, question, house) } throws: { Self.isAhead($0) }
            let unknown = try await http.get("/v1/runs/\(run)")
            #expect(unknown.status == 404)
        }
    }

    private static func isAhead(_ error: any Error) -> Bool {
        guard let error = error as? ServiceError else { return false }
        return error.code == .invalidArgument && error.message.contains("ahead")
    }

    private func start(_ run: RunID, _ question: Question, _ house: TestHouse) async throws {
        try await house.withAdmin(of: "agent-runner") { runner in
            for try await _ in runner.stream(StartRun(run: run, question: question)).items {}
        }
    }

    private func open(_ run: RunID, _ question: Question, _ house: TestHouse) async throws {
        let path = "\(house.runFolder)/storage-agent-runner.sock"
        try await RPCClient.withConnection(path: path, role: .agentRunner, name: "storage") { storage in
            let event = RunEvent(sequence: 1, at: "2026-01-31T12:00:00.000Z", body: .status("…"))
            let open = OpenRun(
                run: run,
                agent: "documentation",
                model: "extractive",
                question: question,
                runner: "test",
                event: event
            )
            _ = try await storage.perform(open)
        }
    }
}
