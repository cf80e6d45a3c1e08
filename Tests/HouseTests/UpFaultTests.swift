import Console
import Daemon
import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// `octavo up` when something goes wrong, or when it is stopped at an inconvenient moment.
@Suite(.serialized, .timeLimit(.minutes(10))) struct UpFaultTests {
    @Test func aKilledPostgresIsSaidAndStartedAgainAlsoWhileItsBackendsHangOn() async throws {
        try await withState { state in
            let up = try Up(state)
            let address = try await up.address()
            // A backend that is stopped does not notice that its server is gone, and holds the shared memory.
            let server = try #require(up.postmaster)
            let backend = try #require(up.postgres.first { $0 != server })
            kill(backend, SIGSTOP)
            kill(server, SIGKILL)
            try await eventually { up.text.contains("Postgres runs again") }
            #expect(up.text.contains("Postgres ended (signal 9 (Killed)); starting it again."), "\(up.text)")
            #expect(!up.postgres.contains(backend))
            try await eventually {
                try await shell("curl -s '\(address)/v1/search?q=goaway'").contains(#""hits""#)
            }
            #expect(try await up.stop() == .code(0), "\(up.text)")
            #expect(up.postgres == [])
        }
    }

    @Test func aPostgresThatDoesNotStartAgainIsGivenUpWithASentence() async throws {
        try await withState { state in
            let up = try Up(state)
            _ = try await up.address()
            // The new server refuses to start with a setting that there is not.
            let settings = state + "/postgres/data/postgresql.auto.conf"
            try "nonsense = 1\n".write(toFile: settings, atomically: false, encoding: .utf8)
            kill(try #require(up.postmaster), SIGKILL)
            #expect(try await up.child.waitForExit() == .code(1))
            #expect(up.text.contains("could not be started 6 times"), "\(up.text)")
            #expect(up.text.contains("run octavo up again"), "\(up.text)")
            #expect(up.postgres == [])
        }
    }

    @Test func anUnreachableDatabaseIsSaidAtOnceWithoutItsPassword() async throws {
        try await withState { state in
            let url = "postgres://octavo:secret-word@127.0.0.1:1/octavo"
            let up = try Up(state, environment: ["DATABASE_URL": url])
            try await eventually { up.text.contains("cannot reach") }
            #expect(up.text.contains("host=127.0.0.1"), "\(up.text)")
            #expect(up.text.contains("Connection refused"), "\(up.text)")
            #expect(up.text.contains("still trying"), "\(up.text)")
            #expect(try await up.stop() == .code(0))
            #expect(!up.text.contains("secret-word"), "\(up.text)")
        }
    }

    /// Whatever of the first start there is by then, a Ctrl-C ends all of it, and the next start works.
    @Test(arguments: [
        "up.lock", "postgres/data.new-", "postgres/data/PG_VERSION", "postgres/.s.PGSQL.5432",
    ])
    func anInterruptDuringTheFirstStartIsACleanStop(stage: String) async throws {
        try await withState { state in
            let first = try Up(state)
            try await first.reach(stage)
            #expect(try await first.stop() == .code(0), "\(first.text)")
            #expect(first.postgres == [])
            #expect(try FileManager.default.contentsOfDirectory(atPath: state + "/run") == [])
            let second = try Up(state)
            _ = try await second.address()
            #expect(try await second.stop() == .code(0), "\(second.text)")
        }
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func aSecondSignalStopsAtOnce(signal: CInt) async throws {
        try await withState { state in
            let up = try Up(state, environment: ["DATABASE_URL": "host=/nowhere user=octavo dbname=octavo"])
            try await up.reach("run/gateway-admin.sock")
            try await eventually { up.text.contains("cannot reach") }
            // A stopped service does not hear that it is to end. One that has not been stopped yet would: of two signals
            // that wait, the kernel delivers the lower number first, and SIGTERM is lower than SIGSTOP.
            try await eventually { try await !up.children("octavo-gateway").isEmpty }
            let gateway = try #require(try await up.children("octavo-gateway").first)
            kill(gateway, SIGSTOP)
            try await eventually { Up.isStopped(gateway) }
            kill(up.child.pid, signal)
            try await eventually { up.text.contains("a second Ctrl-C") }
            kill(up.child.pid, signal)
            #expect(try await up.child.waitForExit() == .code(130), "\(up.text)")
            #expect(up.text.contains("stopped at once"), "\(up.text)")
        }
    }

    /// SIGKILL leaves nobody to tidy up: the services end with their parent, Postgres by its watchdog or by the next start.
    @Test(arguments: ["postgres/data.new-", "postgres/data/postmaster.pid", "run/gateway-admin.sock"])
    func theNextStartWorksAfterOneThatWasKilled(stage: String) async throws {
        try await withState { state in
            let first = try Up(state)
            try await first.reach(stage)
            kill(first.child.pid, SIGKILL)
            let second = try Up(state)
            let address = try await second.address()
            #expect(try await shell("curl -s \(address)/v1/books").contains(#""title""#))
            #expect(try await second.stop() == .code(0), "\(second.text)")
            try await eventually { second.postgres == [] }
        }
    }

    @Test func aBusyPortLeavesNothingBehind() async throws {
        try await withState { state in
            try await withState { other in
                let first = try Up(state)
                let address = try await first.address()
                let port = address.drop { $0 != ":" }.dropFirst().drop { $0 != ":" }.dropFirst()
                let second = try Up(other, ["--port", String(port)])
                #expect(try await second.child.waitForExit() == .code(1))
                #expect(second.text.contains("already in use"), "\(second.text)")
                #expect(second.text.contains("--port"), "\(second.text)")
                #expect(!FileManager.default.fileExists(atPath: other))
                _ = try await first.stop()
            }
        }
    }

    @Test func aStateFolderThatCannotBeMadeIsSaid() async throws {
        let up = try Up("/proc/octavo", output: "/tmp/octavo-up-proc-\(getpid())")
        #expect(try await up.child.waitForExit() == .code(1))
        #expect(up.text.contains("/proc/octavo cannot be made"), "\(up.text)")
        #expect(up.text.contains("--state"), "\(up.text)")
        unlink(up.output)
    }

    @Test func aServerThatDoesNotStartIsTriedMoreAndMorePatientlyAndNotForEver() {
        var limit = RestartLimit()
        let start = ContinuousClock.now
        limit.started(at: start)
        let pauses = (0..<RestartLimit.most).compactMap { _ in limit.pause(after: start) }
        #expect(pauses.first == .zero)
        #expect(pauses.count == RestartLimit.most && zip(pauses, pauses.dropFirst()).allSatisfy { $0 < $1 })
        #expect(limit.pause(after: start) == nil)
    }

    /// Six that were killed within ten seconds each once ended everything.
    @Test func aServerThatIsKilledIsStartedAgainHoweverOften() throws {
        var limit = RestartLimit()
        let start = ContinuousClock.now
        for _ in 0..<100 {
            limit.started(at: start)
            let pause = limit.pause(after: start + .seconds(1))
            #expect(try #require(pause) <= .seconds(2))
        }
        // One that has run well meanwhile is started at once.
        limit.started(at: start)
        #expect(limit.pause(after: start + .seconds(61)) == .zero)
    }
}
