import Console
import Contract
import Daemon
import FoundationEssentials
import Glibc
import Logging
import RPC
import ServiceLifecycle
import TestSupport
import Testing

/// Schedules from the command line, and commands that are carried out as processes.
@Suite(.serialized) struct ScheduleHouseTests {
    /// Octavo, and whoever carries its commands out: `program` in place of `octavo`.
    private func withWorker(
        program: String? = nil,
        _ body: @Sendable @escaping (TestHouse) async throws -> Void
    ) async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            let quiet = Logger(label: "commands") { _ in SwiftLogNoOpLogHandler() }
            let path = "\(house.runFolder)/storage-admin.sock"
            let storage = RPCClient(path: path, role: .admin, name: "storage", logger: quiet)
            let octavo = try House.programs() + "/octavo"
            let options = program == nil ? ["--run-folder", house.runFolder] : []
            let worker = CommandWorker(storage: storage, program: program ?? octavo, options: options)
            let group = ServiceGroup(services: [storage, worker], logger: quiet)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                let result: Result<Void, any Error>
                do { result = .success(try await body(house)) } catch { result = .failure(error) }
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
                try result.get()
            }
        }
    }

    private func octavo(_ words: [String], _ house: TestHouse) async throws -> TestHouse.Output {
        let end = words.firstIndex(of: "--") ?? words.endIndex
        return try await house.octavo(Array(words[..<end]) + ["--run-folder", house.runFolder] + words[end...])
    }

    private func ended(_ run: RunID, _ house: TestHouse) async throws -> GetRun.Result {
        var found: GetRun.Result?
        try await eventually {
            found = try await house.withAdmin(of: "storage") { try await $0.perform(GetRun(run: run)) }
            return found?.state.isTerminal == true
        }
        return try #require(found)
    }

    private func fire(_ name: String, _ house: TestHouse) async throws -> RunID {
        let fired = try await octavo(["schedules", "fire", name], house)
        return try #require(RunID(fired.text.trimmingPrefix { $0 == "\n" }.prefix(36)))
    }

    @Test func aScheduleIsMadeShownPausedFiredAndRemovedFromTheCommandLine() async throws {
        try await withWorker { house in
            let words = ["schedules", "add", "news", "--cron", "0 7 * * mon-fri", "--zone", "Europe/Berlin"]
            let made = try await octavo(words + ["--ask", "What is new?", "--agent", "echo"], house)
            #expect(made.exit == .code(0) && made.text.hasPrefix("news is due first at 20"), "\(made.errors)")
            let next = try await octavo(["schedules", "next", "news", "--count", "3"], house)
            #expect(next.text.split(separator: "\n").count == 3 && next.text.contains(" 07:00"), "\(next.text)")
            let run = try await fire("news", house)
            let found = try await ended(run, house)
            #expect(found.state == .succeeded && found.question.text == "What is new?")
            let paused = try await octavo(["schedules", "pause", "news"], house)
            let list = try await octavo(["schedules"], house)
            #expect(paused.exit == .code(0) && list.text.contains("paused") && list.text.contains("Europe/Berlin"))
            let json = try await octavo(["schedules", "list", "--json"], house)
            #expect(json.text.hasPrefix(#"{"next": null, "schedules": [{"#), "\(json.text)")
            let removed = try await octavo(["schedules", "remove", "news"], house)
            #expect(removed.exit == .code(0))
        }
    }

    @Test func aCommandIsCarriedOutAndItsEndIsTheAnswer() async throws {
        try await withWorker { house in
            _ = try await octavo(
                ["schedules", "add", "tidy", "--cron", "@daily", "--", "prune", "--days", "90"],
                house
            )
            let found = try await ended(fire("tidy", house), house)
            #expect(found.state == .succeeded && found.outcome?.answer?.hasPrefix("Deleted 0 questions") == true)
            // As an earlier version, or another program, has stored it.
            let bad = Schedule(name: "bad", cron: "@daily", zone: "UTC", command: ["prune", "--days", "1"])
            _ = try await house.withAdmin(of: "storage") { try await $0.perform(AddSchedule(bad)) }
            let refused = try await ended(fire("bad", house), house)
            #expect(refused.state == .failed && refused.outcome?.answer?.contains("7 to 36500") == true)
            for (words, sentence) in [
                (["prone"], "There is no command"), (["prune", "--days", "90", "--dayz", "1"], "--dayz"),
                (["prune"], "--days"), (["prune", "--days", "3"], "7 to 36500"),
                (["prune", "--dayz", "90"], "no option --dayz. Did you mean --days?"),
                (["prune", "--days", "many"], "many"),
            ] {
                let refused = try await octavo(["schedules", "add", "x", "--cron", "@daily", "--"] + words, house)
                #expect(refused.exit == .code(1) && refused.errors.contains(sentence), "\(refused.errors)")
            }
            let never = try await octavo(["schedules", "add", "x", "--cron", "never", "--ask", "How?"], house)
            #expect(never.errors.contains("\"never\" is no cron expression."), "\(never.errors)")
        }
    }

    @Test func aCommandThatIsCancelledIsStoppedAlsoWhenItDoesNotWant() async throws {
        let script = "/tmp/octavo-stubborn-\(UInt32.random(in: 0 ... .max))"
        let text = "#!/bin/sh\ntrap '' TERM\necho $$ > \(script).pid\nwhile true; do sleep 0.1; done\n"
        #expect(FileManager.default.createFile(atPath: script, contents: Data(text.utf8)))
        chmod(script, 0o700)
        defer { for path in [script, script + ".pid"] { unlink(path) } }
        try await withWorker(program: script) { house in
            _ = try await octavo(["schedules", "add", "tidy", "--cron", "@daily", "--", "check"], house)
            let run = try await fire("tidy", house)
            var process: pid_t?
            try await eventually {
                let written = FileManager.default.contents(atPath: script + ".pid") ?? Data()
                process = pid_t(String(decoding: written, as: UTF8.self).prefix { $0 != "\n" })
                return process != nil
            }
            _ = try await octavo(["runs", "cancel", "\(run)"], house)
            try await eventually { kill(try #require(process), 0) != 0 }
            let found = try await ended(run, house)
            #expect(found.state == .cancelled)
        }
    }
}
