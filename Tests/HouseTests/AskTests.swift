import Agents
import Contract
import Daemon
import Glibc
import NIOHTTP1
import ScriptedProvider
import Systemd
import TestSupport
import Testing
import Wire

/// The main job, through real processes, real sockets and a real Postgres.
@Suite(.serialized) struct AskTests {
    @Test func aQuestionIsAnsweredWithACitationThatStandsInItsSection() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            try await house.importBook("Handbook", handbook, authors: ["Ada", "Grace"])
            let http = HTTP(house: house)

            let answer = try await http.ask("How do I request a day off?")
            #expect(answer.status == 200)
            let outcome = try JSON(validating: answer.body).decode(Outcome.self)
            #expect(outcome.state == .succeeded)
            #expect(outcome.supported)
            #expect(outcome.answer?.contains("write to your lead at least two weeks before") == true)
            let citation = try #require(outcome.citations.first)
            #expect(outcome.answer?.contains("[\(citation.number)]") == true)
            #expect(citation.book.title == "Handbook")
            #expect(citation.file == "holidays.md")
            #expect(citation.anchor == "asking-for-a-day-off")

            let section = try await http.get("/v1/sections/\(citation.section)")
            #expect(section.string("text")?.contains(citation.quote) == true)
        }
    }

    @Test func aQuestionThatWakesTheServicesIsAnswered() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            // Nobody has waited for anything: connections stand in the backlog of processes that are starting.
            var (start, answer) = (ContinuousClock.now, try await HTTP(house: house).ask("How do I request a day off?"))
            // Where all processors are busy, starting may take longer than the gateway waits.
            while answer.status == 503, .now - start > .seconds(8) {
                (start, answer) = (.now, try await HTTP(house: house).ask("How do I request a day off?"))
            }
            #expect(answer.status == 200, "\(answer.body)")
        }
    }

    @Test func whatTheDocumentationDoesNotAnswerIsSaid() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            try await house.importBook("Handbook", handbook)
            let answer = try await HTTP(house: house).ask("Who won the world cup in 1954?")
            let outcome = try JSON(validating: answer.body).decode(Outcome.self)
            #expect(outcome.state == .succeeded)
            #expect(!outcome.supported)
            #expect(outcome.citations.isEmpty)
            #expect(outcome.answer == "The documentation does not answer this question.")
        }
    }

    @Test func eventsStreamNumberedWithoutAGapAndCanBeFollowedAgainFromAnyNumber() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            try await house.importBook("Handbook", handbook)
            let http = HTTP(house: house)
            let run = RunID.new()
            let body = #"{"question":"When are unused days carried over?","run":"\#(run)"}"#

            let live = try await http.events(.POST, "/v1/ask", body: body)
            #expect(live.map(\.id) == (1...live.count).map { "\($0)" })
            #expect(live.first?.event == "status")
            #expect(live.first?.data.contains("Finding a response") == true)
            #expect(live.last?.event == "finished")
            #expect(live.contains { $0.event == "text" })

            for seen in 0..<live.count {
                let rest = try await http.events(.GET, "/v1/runs/\(run)/events", headers: ["last-event-id": "\(seen)"])
                #expect(rest.map(\.data) == live.dropFirst(seen).map(\.data), "behind event \(seen)")
            }
        }
    }

    @Test func askingAgainWithTheSameRunIsTheSameRun() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            try await house.importBook("Handbook", handbook)
            let http = HTTP(house: house)
            let run = RunID.new()
            let body = #"{"question":"In which class are trains booked?","run":"\#(run)"}"#
            let first = try await http.events(.POST, "/v1/ask", body: body)
            let second = try await http.events(.POST, "/v1/ask", body: body)
            #expect(first.map(\.data) == second.map(\.data))

            let words = "In which class are trains booked?"
            for (path, other) in [
                ("/v1/ask", #""question":"Another question?""#), ("/v1/ask", #""question":"\#(words)","reader":"z""#),
                ("/v1/agents/echo/runs", #""input":"\#(words)""#),
            ] {
                let refused = try await http.post(path, #"{\#(other),"run":"\#(run)"}"#)
                #expect(refused.status == 409 && refused.string("code") == "already_exists", "\(other)")
            }
        }
    }

    @Test func moreQuestionsAtOnceThanAConnectionTakesAreAllAnswered() async throws {
        let answer = Answer.says("Write to your lead at least two weeks before.").after(.milliseconds(300))
        try await ScriptedProvider.withServer(answering: { _, _ in answer }) { provider in
            let settings = ["OPENAI_BASE_URL": provider.url, "OCTAVO_MODEL": "scripted"]
            try await TestHouse.run(database: TestDatabase.make(), settings: settings) { house in
                try await house.waitUntilReady()
                try await house.importBook("Handbook", handbook)
                let http = HTTP(house: house)
                let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                    for number in 1...150 {
                        group.addTask { try await http.ask("How do I request day off number \(number)?").status }
                    }
                    return try await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
                }
                #expect(statuses == [200: 150])
                try await eventually { try await http.get("/readyz").status == 200 }
            }
        }
    }

    @Test func askingWithoutAGatewayIsAnErrorAtOnce() async throws {
        try await TestHouse.run(database: nil) { house in
            // A port that was free a moment ago.
            let socket = try ListenSocket.bindTCP(name: "http", host: "127.0.0.1", port: 0)
            guard case .inet(_, let port) = socket.kind else { return }
            close(socket.descriptor)
            let output = try await house.octavo(["ask", "--url", "http://127.0.0.1:\(port)", "How?"])
            #expect(output.exit == .code(1))
            #expect(output.errors.contains("octavo up"), "\(output.errors)")
        }
    }

    @Test func theTerminalShowsTheAnswerAndItsSources() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            try await house.importBook("Handbook", handbook)
            let output = try await house.octavo(["ask", "How do I request a day off?"])
            #expect(output.exit == .code(0))
            #expect(output.text.contains("write to your lead"))
            #expect(output.text.contains("[1] Handbook › Holidays › Asking for a day off"))
            #expect(!output.text.contains("\u{1B}"))

            let list = try await house.octavo(["runs", "list", "--run-folder", house.runFolder])
            #expect(list.text.contains("succeeded"))
            let run = String(try #require(list.text.split(separator: "\n").last).prefix(36))
            let shown = try await house.octavo(["runs", "show", run, "--run-folder", house.runFolder])
            #expect(shown.text.contains("█"))
        }
    }
}
