import Contract
import Daemon
import Glibc
import RPC
import Systemd
import TestSupport
import Testing
import Wire

/// An agent runner that ends when it has nothing to do.
@Suite(.serialized) struct IdleTests {
    /// The status of an answer. Where a service takes long to start, because all processors are busy, it is asked again.
    private func answer(_ http: HTTP) async throws -> Int {
        while true {
            let status = try await http.ask("How do I request a day off?").status
            if status != 503 { return status }
        }
    }

    @Test func anAgentRunnerWithoutWorkEndsAndTheNextQuestionStartsIt() async throws {
        let settings = ["OCTAVO_IDLE_SECONDS": "1"]
        try await TestHouse.run(database: TestDatabase.make(), settings: settings) { house in
            try await house.waitUntilReady()
            try await house.importBook("Handbook", handbook)
            let http = HTTP(house: house)
            try await eventually { house.processID(of: "octavo-agent-runner") == nil }
            #expect(house.log.contains("nothing to do; ending until the next connection"), "\(house.log)")
            // In the moment it ends the gateway may ask it once more, which starts it once more.
            try await eventually {
                try await http.get("/metrics").body.contains(#"octavo_asleep{service="agent-runner"} 1"#)
            }
            // Whoever looks after it does not start it.
            for _ in 0..<20 {
                try await eventually { try await http.get("/readyz").status == 200 }
                try await eventually {
                    let metrics = try await http.get("/metrics").body
                    return metrics.contains(#"octavo_asleep{service="agent-runner"} 1"#)
                        && metrics.contains(#"octavo_up{service="agent-runner"} 1"#)
                }
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(house.processID(of: "octavo-agent-runner") == nil)
            // Several at once, while it starts; and again while it may be ending.
            for _ in 0..<3 {
                let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<4 { group.addTask { try await answer(http) } }
                    return try await group.reduce(into: [Int]()) { $0.append($1) }
                }
                #expect(statuses == [200, 200, 200, 200])
                try await Task.sleep(for: .milliseconds(900))
            }
            try await eventually { house.processID(of: "octavo-agent-runner") == nil }
        }
    }

    @Test func aRunThatIsEnqueuedWhileTheAgentRunnerSleepsWakesIt() async throws {
        let settings = ["OCTAVO_IDLE_SECONDS": "1"]
        try await TestHouse.run(database: TestDatabase.make(), settings: settings) { house in
            try await house.waitUntilReady()
            try await eventually { house.processID(of: "octavo-agent-runner") == nil }
            let question = Question(text: "How?", channel: .http)
            // What its limit holds back wakes nobody: a runner that is started for it would find nothing.
            let held = EnqueueRun(run: .new(), agent: "documentation", question: question)
            let run = EnqueueRun(run: .new(), agent: "echo", question: question)
            try await house.withAdmin(of: "storage") { storage in
                _ = try await storage.perform(LimitRuns(agent: "documentation", concurrent: 0))
                _ = try await storage.perform(held)
                try await Task.sleep(for: .seconds(2))
                let health = try await storage.perform(GetHealth())
                #expect(health.gauges[Health.queuedRuns] == 0)
                #expect(house.processID(of: "octavo-agent-runner") == nil)

                _ = try await storage.perform(run)
                try await eventually { try await storage.perform(GetRun(run: run.run)).state == .succeeded }
            }
            try await eventually { house.processID(of: "octavo-agent-runner") == nil }
        }
    }

    @Test func aTimeThatMakesNoSenseIsRefused() async throws {
        try await TestHouse.run(database: nil) { house in
            let socket = "\(house.runFolder)/idle.sock"
            let listener = try ListenSocket.bindUnix(name: "gateway", path: socket)
            defer { close(listener.descriptor) }
            var launch = ChildProcess.Launch(path: try Self.program("octavo-agent-runner"))
            launch.environment = ["OCTAVO_IDLE_SECONDS": "soon"]
            launch.sockets = [listener]
            #expect(try await ChildProcess(launch).waitForExit() == .code(78))
        }
    }

    private static func program(_ name: String) throws -> String {
        let own = try #require(CommandLine.arguments.first)
        return own[..<(own.lastIndex(of: "/") ?? own.endIndex)] + "/" + name
    }
}
