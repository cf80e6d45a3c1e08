import Contract
import Daemon
import FoundationEssentials
import Glibc
import NIOHTTP1
import Postgres
import RPC
import ScriptedProvider
import Systemd
import TestSupport
import Testing
import Wire

/// A question's trace through three real processes, as files tell it.
@Suite(.serialized) struct TraceHouseTests {
    private static let question = "How do I request a day off?"
    private static let sentence = "Write to your lead at least two weeks before."

    private func withHouse(
        model answers: [Answer],
        settings: [String: String] = [:],
        database: String? = nil,
        _ body: (TestHouse, ScriptedProvider, _ traces: String) async throws -> Void
    ) async throws {
        let traces = "/tmp/octavo-traces-\(UInt32.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: traces) }
        try await ScriptedProvider.withServer(answers) { provider in
            let own = [
                "OPENAI_BASE_URL": provider.url, "OCTAVO_MODEL": "scripted", "OPENAI_API_KEY": "sk-hunter2",
                "OCTAVO_TRACES": "file:\(traces)",
            ]
            let database = if let database { database } else { try await TestDatabase.make() }
            try await TestHouse.run(database: database, settings: own.merging(settings) { $1 }) { house in
                try await house.waitUntilReady()
                try await house.importBook("Handbook", handbook)
                try await body(house, provider, traces)
            }
        }
    }

    /// The spans of a trace, when those of these names are there and none has lost its parent.
    private func spans(
        of trace: String,
        _ traces: String,
        caller: String? = nil,
        until names: String...
    ) async throws -> [KeptSpans.Span] {
        var found: [KeptSpans.Span] = []
        do {
            try await eventually {
                found = try KeptSpans(in: traces).of(trace)
                return names.allSatisfy { !found.named($0).isEmpty } && found.orphans(besidesOf: caller).isEmpty
            }
        } catch {
            let orphans = found.orphans(besidesOf: caller).map { "\($0.service) \($0.name) of \($0.parent ?? "")" }
            Issue.record("\(found.map { "\($0.service) \($0.name)" }); without a parent: \(orphans)")
            throw error
        }
        return found
    }

    @Test func aQuestionIsOneTreeThroughAllThreeProcesses() async throws {
        let call = ScriptedCall(id: "c1", name: "search", arguments: #"{"query":"day off"}"#)
        try await withHouse(model: [.calls(call), .says(Self.sentence)]) { house, provider, traces in
            let caller = TraceParent(isSampled: true)
            let answer = try await HTTP(house: house).post(
                "/v1/ask",
                #"{"question":"\#(Self.question)"}"#,
                headers: ["traceparent": "\(caller)"]
            )
            #expect(answer.status == 200 && answer.string("answer")?.contains("two weeks") == true, "\(answer.body)")
            #expect(answer.headers.first(name: "traceresponse")?.hasPrefix("00-\(caller.traceID)-") == true)
            let found = try await spans(of: caller.traceID, traces, caller: caller.spanID, until: "POST /v1/ask")
            #expect(found.filter { $0.parent == caller.spanID }.map(\.name) == ["POST /v1/ask"])
            #expect(found.allSatisfy { $0.parent != nil })
            #expect(found.unnested == [])
            check(found)

            let text = try KeptSpans(in: traces).text
            for word in [Self.question, "day off", "two weeks", "hunter2", "select ", "insert "] {
                #expect(!text.contains(word), "\(word)")
            }
            #expect(provider.requests.allSatisfy { $0.headers["traceparent"] == nil })
            let run = try #require(answer.string("run"))
            let shown = try await house.octavo(["runs", "show", run, "--run-folder", house.runFolder])
            #expect(shown.text.contains("trace \(caller.traceID)"), "\(shown.text)")
        }
    }

    private func check(_ found: [KeptSpans.Span]) {
        func attributes(_ name: String, _ kind: Int, _ service: String) -> [String: String] {
            let span = found.first { $0.name == name && $0.kind == kind && $0.service == service }
            #expect(span != nil, "\(name) of \(service) in \(found.map { "\($0.service) \($0.name) \($0.kind)" })")
            return span?.attributes ?? [:]
        }
        let request = attributes("POST /v1/ask", 2, "octavo-gateway")
        #expect(request["http.request.method"] == "POST" && request["http.route"] == "/v1/ask")
        #expect(request["http.response.status_code"] == "200" && request["url.scheme"] == "http")
        #expect(attributes("runs.start", 3, "octavo-gateway")["rpc.system.name"] == "octavo")
        #expect(attributes("runs.start", 2, "octavo-agent-runner")["rpc.method"] == "runs.start")
        let run = attributes("run documentation", 1, "octavo-agent-runner")
        #expect(run["octavo.run.attempt"] == "1" && run["octavo.run.id"] != nil)
        let chat = attributes("chat scripted", 3, "octavo-agent-runner")
        #expect(chat["gen_ai.operation.name"] == "chat" && chat["gen_ai.request.model"] == "scripted")
        #expect(chat["gen_ai.usage.input_tokens"] == "10" && chat["gen_ai.usage.output_tokens"] == "5")
        #expect(found.named("chat scripted").count == 2)
        #expect(attributes("execute_tool search", 1, "octavo-agent-runner")["gen_ai.tool.name"] == "search")
        let asked = attributes("POST", 3, "octavo-agent-runner")
        #expect(asked["server.address"] == "127.0.0.1" && asked["http.response.status_code"] == "200")
        #expect(attributes("runs.open", 2, "octavo-storage")["octavo.caller"] == "agent-runner")
        let statements = found.filter { $0.service == "octavo-storage" && $0.kind == 3 }
        #expect(!statements.isEmpty && statements.allSatisfy { $0.attributes["db.system.name"] == "postgresql" })
        #expect(statements.allSatisfy { $0.attributes["db.operation.name"] != nil })
    }

    @Test func aMalformedTraceparentIsIgnoredAndAnUnsampledOneObeyed() async throws {
        try await withHouse(model: []) { house, _, traces in
            let http = HTTP(house: house)
            let id = String(repeating: "a", count: 32)
            let malformed = try await http.get("/v1/books", headers: ["traceparent": "00-\(id)-xyz-01"])
            let said = try #require(malformed.headers.first(name: "traceresponse").flatMap { TraceParent($0) })
            #expect(said.traceID != id)
            let unsampled = TraceParent()
            let quiet = try await http.get("/v1/books", headers: ["traceparent": "\(unsampled)"])
            #expect(quiet.status == 200 && quiet.headers.first(name: "traceresponse") == nil)
            let found = try await spans(of: said.traceID, traces, until: "GET /v1/books", "books.list")
            #expect(found.filter { $0.parent == nil }.map(\.name) == ["GET /v1/books"])
            #expect(try KeptSpans(in: traces).of(unsampled.traceID).isEmpty)
        }
    }

    @Test func aRatioOfNoneKeepsWhatCallersWantKept() async throws {
        try await withHouse(model: [], settings: ["OCTAVO_TRACES_SAMPLE": "0"]) { house, _, traces in
            let http = HTTP(house: house)
            let own = try await http.get("/v1/books")
            #expect(own.headers.first(name: "traceresponse") == nil)
            let caller = TraceParent(isSampled: true)
            _ = try await http.get("/v1/books", headers: ["traceparent": "\(caller)"])
            _ = try await spans(of: caller.traceID, traces, caller: caller.spanID, until: "GET /v1/books", "books.list")
            let kept = try KeptSpans(in: traces)
            #expect(kept.spans.allSatisfy { $0.trace == caller.traceID })
        }
    }

    @Test func aQueuedRunBelongsToTheTraceOfWhoeverQueuedIt() async throws {
        try await withHouse(model: [.says(Self.sentence)]) { house, _, traces in
            let caller = TraceParent(isSampled: true)
            let question = Question(text: Self.question, channel: .http)
            let enqueue = EnqueueRun(run: .new(), agent: "documentation", question: question)
            try await house.withAdmin(of: "storage") { storage in
                _ = try await storage.perform(enqueue, traceparent: caller)
                for try await _ in storage.stream(FollowRun(run: enqueue.run), deadline: .seconds(100)).json {}
                #expect(try await storage.perform(GetRun(run: enqueue.run)).traceID == caller.traceID)
            }
            let found = try await spans(
                of: caller.traceID,
                traces,
                caller: caller.spanID,
                until: "runs.enqueue",
                "run documentation"
            )
            let accepted = try #require(found.named("runs.enqueue").first { $0.kind == 2 })
            let run = try #require(found.named("run documentation").first)
            #expect(accepted.parent == caller.spanID && run.parent == accepted.id && run.kind == 5)
        }
    }

    @Test func aScheduledRunBelongsToTheTraceOfItsFiring() async throws {
        let database = try await TestDatabase.make()
        try await withHouse(model: [.says(Self.sentence)], database: database) { house, _, traces in
            var schedule = Schedule(name: "news", cron: "* * * * *", agent: "documentation", question: Self.question)
            let run = try await house.withAdmin(of: "storage") { storage in
                _ = try await storage.perform(AddSchedule(schedule))
                // As if a minute had passed; the second schedule has storage look at once.
                let connection = try await PostgresConnection.connect(PostgresConfiguration(database))
                try await connection.run(script: "update schedule set next_at = next_at - interval '1 minute'")
                await connection.close()
                schedule.name = "bell"
                schedule.cron = "@yearly"
                _ = try await storage.perform(AddSchedule(schedule))
                var run: RunID?
                try await eventually {
                    run = try await storage.perform(ListSchedules()).schedules.first { $0.schedule.name == "news" }?
                        .lastRun
                    return run != nil
                }
                return try #require(run)
            }
            let trace = try await house.withAdmin(of: "storage") { try await $0.perform(GetRun(run: run)).traceID }
            let found = try await spans(of: try #require(trace), traces, until: "fire", "run documentation")
            let fired = try #require(found.named("fire").first)
            #expect(fired.service == "octavo-storage" && fired.parent == nil && fired.kind == 5)
            #expect(fired.attributes["octavo.schedule.name"] == "news")
            #expect(found.named("run documentation").map(\.parent) == [fired.id])
        }
    }

    @Test func anAttemptThatGoesOnNamesTheOneThatWasKilled() async throws {
        try await withHouse(model: [.hangs, .says(Self.sentence)]) { house, provider, traces in
            let caller = TraceParent(isSampled: true)
            async let answer = HTTP(house: house).post(
                "/v1/ask",
                #"{"question":"\#(Self.question)"}"#,
                headers: ["traceparent": "\(caller)"]
            )
            await provider.received(1)
            house.kill("octavo-agent-runner")
            #expect(try await answer.status == 200)
            var found: [KeptSpans.Span] = []
            try await eventually {
                found = try KeptSpans(in: traces).of(caller.traceID)
                return !found.named("POST /v1/ask").isEmpty && !found.named("run documentation").isEmpty
            }
            let again = try #require(found.named("run documentation").first)
            #expect(again.attributes["octavo.run.attempt"] == "2")
            #expect(again.links.map(\.trace) == [caller.traceID] && again.links.first?.id != again.id)
            // The gateway's call is what both attempts belong to; nothing was lost but what the killed process had.
            let asked = found.first { $0.id == again.parent }
            #expect(asked?.service == "octavo-gateway" && asked?.name == "runs.start")
        }
    }

    @Test func aWebhookIsDeliveredInTheTraceOfItsRun() async throws {
        let settings = [
            "OCTAVO_WEBHOOK_NETWORKS": "127.0.0.1", "WEBHOOK_SECRETS": "ci=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        ]
        try await withHouse(model: [.json("{}", status: 204)], settings: settings) { house, receiver, traces in
            let words = ["webhooks", "add", "ci", receiver.url, "--run-folder", house.runFolder]
            #expect(try await house.octavo(words).exit == .code(0))
            let caller = TraceParent(isSampled: true)
            let enqueue = EnqueueRun(run: .new(), agent: "echo", question: Question(text: "How?", channel: .http))
            try await house.withAdmin(of: "storage") { _ = try await $0.perform(enqueue, traceparent: caller) }
            await receiver.received(1)
            #expect(receiver.requests[0].headers["traceparent"] == nil)
            let found = try await spans(
                of: caller.traceID,
                traces,
                caller: caller.spanID,
                until: "deliver",
                "outbox.settle"
            )
            let delivered = try #require(found.named("deliver").first)
            let posted = try #require(found.named("POST").first)
            #expect(posted.parent == delivered.id && posted.attributes["http.response.status_code"] == "204")
        }
    }

    @Test func aCollectorThatNeverReadsKeepsNobodyWaiting() async throws {
        let path = "/tmp/octavo-collector-\(UInt32.random(in: 0 ... .max)).sock"
        // Connections to it come about, and nobody ever reads from them.
        let collector = try ListenSocket.bindUnix(name: "collector", path: path)
        defer {
            close(collector.descriptor)
            unlink(path)
        }
        try await withHouse(model: [.says(Self.sentence)], settings: ["OCTAVO_TRACES": "unix:\(path)"]) { house, _, _ in
            let http = HTTP(house: house)
            #expect(try await http.ask(Self.question).status == 200)
            for _ in 0..<100 { #expect(try await http.get("/v1/books").status == 200) }
            try await eventually {
                let metrics = try await http.get("/metrics").body
                return metrics.contains(#"octavo_spans_dropped_total{service="gateway"} 0"#)
                    && !metrics.contains(#"octavo_spans_waiting{service="gateway"} 0"#)
            }
        }
    }
}
