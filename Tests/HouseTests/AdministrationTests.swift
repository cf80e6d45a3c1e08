import Contract
import Daemon
import FoundationEssentials
import Glibc
import NIOHTTP1
import RPC
import TestSupport
import Testing
import Wire

/// Administration from the command line, of real services.
@Suite(.serialized) struct AdministrationTests {
    private func octavo(_ house: TestHouse, _ words: String...) async throws -> TestHouse.Output {
        try await house.octavo(words + ["--run-folder", house.runFolder])
    }

    private func waitUntilAllAreReady(_ house: TestHouse) async throws {
        try await house.waitUntilReady()
        try await eventually { try await self.octavo(house, "health").exit == .code(0) }
    }

    @Test func numbersAreShownToPeopleScriptsAndMonitoring() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await waitUntilAllAreReady(house)
            let http = HTTP(house: house)
            let books = try await http.get("/v1/books")
            let missing = try await http.get("/v1/books/99")
            let nowhere = try await http.get("/nowhere")
            #expect([books.status, missing.status, nowhere.status] == [200, 404, 404])

            let people = try await octavo(house, "stats")
            #expect(people.exit == .code(0) && people.text.contains("books.get"), "\(people.text)\(people.errors)")
            let document = try await octavo(house, "stats", "storage", "--json")
            let stats = try JSON(validating: document.text.line).member("storage")?.decode(Stats.self)
            let list = stats?.operations.first { $0.name == "books.list" }
            #expect(list?.succeeded == 1 && list?.failed == [:])

            let file = try await octavo(house, "stats", "--prometheus").text
            var metrics = try await http.get("/metrics")
            // A service that all processors are too busy for counts as down for this look.
            try await eventually {
                metrics = try await http.get("/metrics")
                return metrics.body.split { $0.isNewline }.filter { $0.hasPrefix("octavo_up{") && $0.hasSuffix(" 1") }
                    .count == 3
            }
            #expect(metrics.headers.first(name: "content-type") == Prometheus.contentType)
            for text in [file, metrics.body] {
                for line in [
                    #"octavo_up{service="gateway"} 1"#, #"octavo_up{service="agent-runner"} 1"#,
                    #"octavo_up{service="storage"} 1"#,
                    #"octavo_calls_total{service="storage",operation="books.get",code="not_found"} 1"#,
                    #"octavo_calls_total{service="gateway",operation="other",code="404"} 1"#,
                ] { #expect(text.contains(line + "\n"), "\(line)\n\(text)") }
                #expect(text.contains(#"operation="GET /v1/books"#), "\(text)")
            }
        }
    }

    @Test func aServiceThatIsGoneIsDownForMonitoring() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await waitUntilAllAreReady(house)
            let process = try #require(house.processID(of: "octavo-agent-runner"))
            kill(process, SIGSTOP)
            defer { kill(process, SIGCONT) }
            let metrics = try await HTTP(house: house).get("/metrics")
            #expect(metrics.status == 200 && metrics.body.contains(#"octavo_up{service="agent-runner"} 0"#))
            let file = try await octavo(house, "stats", "--prometheus")
            #expect(file.exit == .code(0) && file.text.contains(#"octavo_up{service="agent-runner"} 0"#))
            let check = try await octavo(house, "health", "--nagios")
            #expect(check.exit == .code(2) && check.text.hasPrefix("OCTAVO CRITICAL - "), "\(check.text)")
        }
    }

    @Test func aCheckIsOneLineAndAnExitCode() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await waitUntilAllAreReady(house)
            let ready = try await octavo(house, "health", "--nagios")
            #expect(ready.exit == .code(0))
            #expect(ready.text.hasPrefix("OCTAVO OK - gateway, agent-runner, storage ready | gateway_uptime="))
            #expect(ready.text.contains(" storage_pool_busy=") && ready.text.filter(\.isNewline).count == 1)
            _ = try await octavo(house, "drain", "agent-runner", "--yes")
            try await eventually {
                let drained = try await self.octavo(house, "health", "--nagios")
                // The gateway cannot do its work then, which is worse.
                return drained.exit == .code(2) && drained.text.contains("agent-runner: drained by an administrator")
            }
            _ = try await octavo(house, "resume", "agent-runner", "--yes")
            _ = try await octavo(house, "drain", "gateway", "--yes")
            try await eventually {
                let drained = try await self.octavo(house, "health", "--nagios")
                return drained.exit == .code(1)
                    && drained.text.hasPrefix("OCTAVO WARNING - gateway: drained by an administrator | ")
            }
        }
        try await TestHouse.run(database: nil) { house in
            try await eventually {
                let check = try await self.octavo(house, "health", "--nagios")
                return check.exit == .code(2) && check.text.contains("storage: no database configured")
            }
        }
    }

    @Test func aDrainedGatewayTurnsRequestsAwayAndFinishesThoseItHas() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await waitUntilAllAreReady(house)
            let http = HTTP(house: house)
            let unmeant = try await octavo(house, "drain", "gateway")
            #expect(unmeant.exit == .code(1) && unmeant.errors.contains("add --yes"), "\(unmeant.errors)")
            let drained = try await octavo(house, "drain", "gateway", "--yes")
            #expect(drained.exit == .code(0), "\(drained.errors)")
            let refused = try await http.get("/v1/books")
            #expect(refused.status == 503 && refused.headers.first(name: "retry-after") == "1")
            let (ready, live, metrics) = (
                try await http.get("/readyz"), try await http.get("/livez"), try await http.get("/metrics")
            )
            #expect([ready.status, live.status, metrics.status] == [503, 200, 200])
            #expect(ready.string("detail")?.contains("drained by an administrator") == true)
            _ = try await octavo(house, "resume", "gateway", "--yes")
            let taken = try await http.get("/v1/books")
            #expect(taken.status == 200)
            #expect(house.log.contains("an administrator asked for drain"), "\(house.log)")
        }
    }

    @Test func callsAndConnectionsAreListed() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await waitUntilAllAreReady(house)
            let connections = try await octavo(house, "connections", "storage")
            #expect(connections.text.contains("agent-runner") && connections.text.contains("root") == (getuid() == 0))
            // The runner's standing offer to storage.
            try await eventually { try await self.octavo(house, "calls", "storage").text.contains("runs.claim") }
            let calls = try await octavo(house, "calls", "--json")
            let all = try JSON(validating: calls.text.line)
            for service in ["gateway", "agent-runner", "storage"] {
                #expect(all.member(service)?.member("calls") != nil)
            }
        }
    }

    @Test func aServiceLogsMoreForAWhile() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await waitUntilAllAreReady(house)
            #expect(!house.log.contains("debug octavo-storage"))
            let set = try await octavo(house, "log-level", "storage", "debug", "--for", "10m", "--yes")
            #expect(set.text.contains("logs from debug on, and from info on after 600 s"), "\(set.errors)")
            _ = try await HTTP(house: house).get("/v1/books")
            try await eventually { house.log.contains("debug octavo-storage: call answered") }
            let wrong = try await octavo(house, "log-level", "storage", "loud", "--yes")
            #expect(wrong.exit == .code(1) && wrong.errors.contains("one of trace, debug"), "\(wrong.errors)")
        }
    }

    @Test func settingsAreReadAgainWhileAStreamGoesOn() async throws {
        let file = "/tmp/octavo-settings-\(UInt32.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: file) }
        func set(_ text: String) throws { try text.write(toFile: file, atomically: true, encoding: .utf8) }
        try set("")
        try await TestHouse.run(database: TestDatabase.make(), settings: ["OCTAVO_SETTINGS": file]) { house in
            try await waitUntilAllAreReady(house)
            let before = try await house.withAdmin(of: "gateway") { gateway in
                try set("OCTAVO_HTTP_KEYS=always\nOCTAVO_MODEL=no-such-model\n")
                // The runner cannot use its setting, and keeps what it has; the others take theirs.
                let reload = try await self.octavo(house, "reload", "--yes")
                #expect(reload.exit == .code(1) && reload.errors.contains("OCTAVO_MODEL is"), "\(reload.errors)")
                #expect(reload.text.contains("gateway       new: OCTAVO_HTTP_KEYS"), "\(reload.text)")
                // The connection of before.
                return try await gateway.perform(GetHealth()).uptimeMilliseconds
            }
            #expect(before > 0)
            let refused = try await HTTP(house: house).get("/v1/books")
            #expect(refused.status == 401)
            try set("OCTAVO_DRAIN_SECONDS=7\n")
            let reload = try await octavo(house, "reload", "--yes", "--json")
            let gateway = try JSON(validating: reload.text.line).member("gateway")?.decode(ReloadService.Result.self)
            #expect(gateway == .init(changed: ["OCTAVO_HTTP_KEYS"], needRestart: ["OCTAVO_DRAIN_SECONDS"]))
            let taken = try await HTTP(house: house).get("/v1/books")
            #expect(taken.status == 200)
            let asked = try await HTTP(house: house).ask("What?")
            #expect(asked.status == 200)
        }
    }
}

extension String {
    fileprivate var line: String { String(prefix { !$0.isNewline }) }
}
