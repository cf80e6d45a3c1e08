import Contract
import Daemon
import FoundationEssentials
import Glibc
import RPC
import ScriptedProvider
import TestSupport
import Testing
import Wire

/// Agents that are files: asked over HTTP and on the command line, and changed while the service runs.
@Suite(.serialized) struct AgentFileTests {
    private func withFolder(
        _ files: [String: String],
        _ body: (_ folder: String, _ settings: [String: String]) async throws -> Void
    ) async throws {
        let folder = "/tmp/octavo-agents-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, text) in files { try write(text, to: "\(folder)/\(name).yaml") }
        try await body(folder, ["OCTAVO_AGENTS": folder])
    }

    private func write(_ text: String, to path: String) throws {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    private static let greeter = """
        description: Greets.
        instructions: You greet for {{team}}. The reader is {{reader}}.
        variables: {team: Billing}
        limits: {requests: 2}
        """

    @Test func anAgentOfAFileFollowsItsInstructions() async throws {
        try await ScriptedProvider.withServer(answering: { _, _ in .says("Good ", "day.") }) { provider in
            try await withFolder(["greeter": Self.greeter]) { _, settings in
                let model = ["OPENAI_BASE_URL": provider.url, "OCTAVO_MODEL": "scripted"]
                try await TestHouse.run(
                    database: TestDatabase.make(),
                    settings: settings.merging(model) { $1 }
                ) { house in
                    try await house.waitUntilReady()
                    let http = HTTP(house: house)
                    let answer = try await http.post("/v1/agents/greeter/runs", #"{"input": "Hello", "reader": "ada"}"#)
                    #expect(answer.status == 200, "\(answer.body)")
                    #expect(answer.string("answer") == "Good day.")
                    let asked = provider.requests.last?.body ?? ""
                    #expect(asked.contains("You greet for Billing. The reader is ada."))

                    let list = try await http.get("/v1/agents")
                    #expect(list.body.contains(#""name":"greeter""#) && list.body.contains(#""name":"documentation""#))
                    let unknown = try await http.post("/v1/agents/nobody/runs", #"{"input": "Hello"}"#)
                    #expect(unknown.status == 400 && unknown.body.contains("There is no agent"), "\(unknown.body)")

                    let said = try await house.octavo(["agents", "run", "greeter", "Hello", "there"])
                    #expect(said.text.contains("Good day."), "\(said)")
                }
            }
        }
    }

    /// A run that goes on the next day must say the same to its model; and what a model says may hold what Postgres cannot.
    @Test func theDateIsThatOfTheQuestionAndNoCharacterOfAnAnswerLosesTheRun() async throws {
        let daily = "instructions: Today is {{date}}."
        try await ScriptedProvider.withServer(answering: { _, _ in .says("Good", "\u{0}day.") }) { provider in
            try await withFolder(["daily": daily]) { _, settings in
                let model = ["OPENAI_BASE_URL": provider.url, "OCTAVO_MODEL": "scripted"]
                try await TestHouse.run(
                    database: TestDatabase.make(),
                    settings: settings.merging(model) { $1 }
                ) { house in
                    try await house.waitUntilReady()
                    // Of the 21st of March 2024.
                    let run = "018e6109-2400-7000-8000-000000000001"
                    let body = #"{"input": "Hello", "run": "\#(run)"}"#
                    let answer = try await HTTP(house: house).post("/v1/agents/daily/runs", body)
                    #expect(answer.string("answer") == "Good\u{FFFD}day.", "\(answer.body)")
                    #expect(provider.requests.last?.body.contains("Today is 2024-03-21.") == true)
                }
            }
        }
    }

    @Test func aFileThatIsWrongTakesAwayItsAgentOnlyAndAReloadTakesAllOrNothing() async throws {
        try await ScriptedProvider.withServer(answering: { _, _ in .says("Good day.") }) { provider in
            try await withFolder(["greeter": Self.greeter, "bad": "instructions: Hi {{who}}"]) { folder, settings in
                let model = ["OPENAI_BASE_URL": provider.url, "OCTAVO_MODEL": "scripted"]
                try await TestHouse.run(
                    database: TestDatabase.make(),
                    settings: settings.merging(model) { $1 }
                ) { house in
                    try await house.waitUntilReady()
                    func list() async throws -> TestHouse.Output {
                        try await house.octavo(["agents", "--run-folder", house.runFolder])
                    }
                    func reload() async throws -> TestHouse.Output {
                        try await house.octavo(["reload", "agent-runner", "--yes", "--run-folder", house.runFolder])
                    }
                    let first = try await list()
                    #expect(first.exit == .code(1) && first.text.contains("greeter"))
                    #expect(first.errors.contains(#"bad.yaml:1:18: there is no variable "who""#), "\(first.errors)")

                    try write("summarise: {sentences: none}", to: folder + "/greeter.yaml")
                    let refused = try await reload()
                    #expect(refused.errors.contains("bad.yaml:1:18"), "\(refused)")
                    #expect(refused.errors.contains("greeter.yaml:1:13: must be an integer"), "\(refused)")
                    let kept = try await HTTP(house: house).post("/v1/agents/greeter/runs", #"{"input": "Hello"}"#)
                    #expect(kept.status == 200)

                    try write("instructions: You sing.", to: folder + "/greeter.yaml")
                    try write("instructions: You dance.", to: folder + "/bad.yaml")
                    let taken = try await reload()
                    #expect(taken.exit == .code(0), "\(taken)")
                    #expect(taken.text.contains("agents added: bad; agents changed: greeter\n"), "\(taken)")
                    let same = try await reload()
                    #expect(same.text.contains("no setting and no agent's file has changed"), "\(same)")
                    let now = try await list()
                    #expect(now.exit == .code(0), "\(now)")
                    _ = try await HTTP(house: house).post("/v1/agents/bad/runs", #"{"input": "Hello"}"#)
                    let asked = provider.requests.last?.body ?? ""
                    #expect(asked.contains("You dance."))
                    // Those that are due later have been offered too.
                    let later = EnqueueRun(run: .new(), agent: "bad", question: Question(text: "Hello", channel: .http))
                    try await house.withAdmin(of: "storage") { storage in
                        _ = try await storage.perform(later)
                        try await eventually { try await storage.perform(GetRun(run: later.run)).state == .succeeded }
                    }
                }
            }
        }
    }

    @Test func filesAreCheckedWithNothingRunning() async throws {
        try await withFolder(["greeter": Self.greeter, "bad": "instructions: a\nmodle: b"]) { folder, _ in
            func octavo(_ arguments: String...) async throws -> TestHouse.Output {
                try await TestHouse.octavo(arguments, output: folder + "/output")
            }
            let fine = try await octavo("agents", "check", folder + "/greeter.yaml")
            #expect(fine.exit == .code(0), "\(fine)")
            let bad = try await octavo("agents", "check", folder + "/greeter.yaml", folder + "/bad.yaml")
            #expect(bad.exit == .code(1))
            #expect(bad.errors.contains(#"bad.yaml:2:1: there is no "modle": did you mean "model"?"#), "\(bad.errors)")
            let schema = try await octavo("agents", "schema")
            let json = try JSON(validating: schema.text.split(separator: "\n").joined())
            #expect(json.member("properties") != nil)
            let nowhere = try await octavo("agents", "check", "/nowhere.yaml")
            #expect(nowhere.exit == .code(1) && nowhere.errors.contains("/nowhere.yaml: there is no such file"))
        }
    }

    @Test func whatHasAFormIsOneDocumentOnStandardOutput() async throws {
        let files = [
            "ticket":
                "instructions: Make one.\noutput: {type: object, required: [title], properties: {title: {type: string}}}",
            "triage":
                "classify: {categories: {holidays: Days off and holidays., travel: Trains and receipts.}}\nmodel: extractive",
        ]
        let call = ScriptedCall(id: "1", name: "answer", arguments: #"{"title":"Invoice"}"#)
        try await ScriptedProvider.withServer(answering: { _, _ in .calls(call) }) { provider in
            try await withFolder(files) { _, settings in
                let model = ["OPENAI_BASE_URL": provider.url, "OCTAVO_MODEL": "scripted"]
                try await TestHouse.run(
                    database: TestDatabase.make(),
                    settings: settings.merging(model) { $1 }
                ) { house in
                    try await house.waitUntilReady()
                    let ticket = try await house.octavo(["agents", "run", "ticket", "The invoice is missing."])
                    #expect(ticket.text == #"{"title":"Invoice"}"# + "\n", "\(ticket)")
                    let triage = try await house.octavo(["agents", "run", "triage", "A day off and holidays."])
                    #expect(triage.text.hasPrefix(#"{"labels":[{"category":"holidays""#), "\(triage)")
                    #expect(triage.text.split(separator: "\n").count == 1, "\(triage)")
                }
            }
        }
    }

    @Test func anAnswerThatDoesNotComeInPiecesIsShownOnce() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            let echo = try await house.octavo(["agents", "run", "echo", "plain"])
            #expect(echo.exit == .code(0) && echo.text == "plain\n", "\(echo)")
        }
    }

    @Test func oneRequestIsClassifiedSummarisedAndAnsweredAtOnceAndWithoutAProvider() async throws {
        let files = [
            "triage": "classify: {categories: {holidays: Days off and holidays., travel: Trains and receipts.}}",
            "desk": "together: {agents: [documentation, summariser, triage]}",
        ]
        try await withFolder(files) { _, settings in
            try await TestHouse.run(database: TestDatabase.make(), settings: settings) { house in
                try await house.waitUntilReady()
                try await house.importBook("Handbook", handbook)
                let body = #"{"input": "How do I request a day off?"}"#
                let answer = try await HTTP(house: house).post("/v1/agents/desk/runs", body)
                let outcome = try JSON(validating: answer.body).decode(Outcome.self)
                #expect(outcome.state == .succeeded, "\(answer.body)")
                let answered = try outcome.output?.member("documentation")?.decode(Outcome.self)
                let documentation = try #require(answered)
                #expect(documentation.supported && documentation.citations.count == 1)
                let label = outcome.output?.member("triage")?.member("output")?.member("labels")?.elements?.first
                #expect(label?.member("category")?.string == "holidays")
                #expect(outcome.output?.member("summariser")?.member("answer")?.string == "How do I request a day off?")

                // All had begun before the first of them ended, and the whole ends with the last.
                let parts = outcome.timeline.filter { $0.name.hasPrefix("agent/") }
                let whole = try #require(outcome.timeline.first { $0.name == "agent" })
                #expect(Set(parts.map(\.name)) == ["agent/documentation", "agent/summariser", "agent/triage"])
                let slowest = try #require(parts.map(\.endMilliseconds).max())
                #expect(slowest <= whole.endMilliseconds + 1)
            }
        }
    }
}
