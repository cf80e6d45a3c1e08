import Console
import Daemon
import FoundationEssentials
import Glibc
import Systemd
import TestSupport
import Testing

/// `octavo up` as somebody meets it who has just built it.
@Suite(.serialized) struct UpTests {
    /// A process of `octavo up` and what it says.
    private struct Started {
        let child: ChildProcess
        let output: String

        var text: String {
            FileManager.default.contents(atPath: output).map { String(decoding: $0, as: UTF8.self) } ?? ""
        }

        /// The address it tells, once it is up.
        func address() async throws -> String {
            try await eventually {
                if text.contains("Ctrl-C") { return true }
                if text.contains("Error:") { throw NotUp(description: text) }
                return false
            }
            let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("Octavo is up: ") })
            return String(line.dropFirst("Octavo is up: ".count).prefix { $0 != " " })
        }

        /// Ctrl-C.
        func interrupt() async throws -> ChildProcess.Exit {
            Glibc.kill(child.pid, SIGINT)
            return try await child.waitForExit()
        }
    }

    private func withState(_ body: (String) async throws -> Void) async throws {
        let state = "/tmp/octavo-up-\(UInt32.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: state) }
        try await body(state)
    }

    private func start(_ state: String, _ arguments: [String] = [], environment: [String: String] = [:]) throws
        -> Started
    {
        let output = state + "-output"
        let descriptor = open(output, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        defer { close(descriptor) }
        var launch = try ChildProcess.Launch(path: House.programs() + "/octavo")
        launch.arguments = ["up", "--state", state] + (arguments.isEmpty ? ["--port", "0"] : arguments)
        launch.environment = environment
        launch.environment["PATH"] = "/usr/local/bin:/usr/bin:/bin"
        launch.standardOutput = descriptor
        launch.standardError = descriptor
        return Started(child: try ChildProcess(launch), output: output)
    }

    @Test func theFirstStartMakesEverythingAndTheSecondUsesItAgain() async throws {
        try await withState { state in
            let first = try start(state, ["--port", "0", "--ask", "How long may a frame be?"])
            let address = try await first.address()
            #expect(first.text.contains("imported \"Octavo\""))
            #expect(first.text.contains("? How long may a frame be?"))
            let books = try await shell("curl -s \(address)/v1/books")
            #expect(books.contains(#""title": "Octavo""#), "\(books)")
            #expect(try await first.interrupt() == .code(0))
            #expect(first.text.contains("the data are kept"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: state + "/run") == [])

            let second = try start(state)
            let again = try await second.address()
            #expect(!second.text.contains("imported"))
            #expect(try await shell("curl -s \(again)/v1/books") == books)
            #expect(try await second.interrupt() == .code(0))
        }
    }

    @Test func aBusyPortIsSaid() async throws {
        try await withState { state in
            let busy = try ListenSocket.bindTCP(name: "http", host: "127.0.0.1", port: 0)
            guard case .inet(_, let port) = busy.kind else { return }
            defer { close(busy.descriptor) }
            let up = try start(state, ["--port", "\(port)"])
            #expect(try await up.child.waitForExit() == .code(1))
            #expect(up.text.contains("\(port)"), "\(up.text)")
        }
    }

    @Test(arguments: ["postgres://[", "nonsense", "host=/x port=abc unknown=1"])
    func aDatabaseURLThatCannotBeUsedIsRefusedAtOnce(url: String) async throws {
        try await withState { state in
            let up = try start(state, environment: ["DATABASE_URL": url])
            #expect(try await up.child.waitForExit() == .code(1))
            #expect(up.text.contains("DATABASE_URL cannot be used"), "\(up.text)")
        }
    }

    @Test func anInterruptWhileItStillWaitsIsACleanStop() async throws {
        try await withState { state in
            // Nobody listens there, so storage never becomes ready.
            let up = try start(state, environment: ["DATABASE_URL": "host=/nowhere user=octavo dbname=octavo"])
            // Signals are caught before the first service starts, and a service says that it listens.
            try await eventually { FileManager.default.contents(atPath: state + "/octavo.log")?.isEmpty == false }
            #expect(try await up.interrupt() == .code(0), "\(up.text)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: state + "/run") == [])
        }
    }

    @Test func aLogThatHasGrownLargeIsPutAside() async throws {
        try await withState { state in
            try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
            let path = state + "/octavo.log"
            _ = try ServiceLog(path)
            #expect(truncate(path, 10_000_001) == 0)
            _ = try ServiceLog(path)
            #expect(FileManager.default.contents(atPath: path + ".old")?.count == 10_000_001)
            #expect(FileManager.default.contents(atPath: path)?.isEmpty == true)
        }
    }

    @Test func aStateFolderIsUsedByOneAtATime() async throws {
        try await withState { state in
            let first = try start(state)
            _ = try await first.address()
            let second = try start(state + "/")
            #expect(try await second.child.waitForExit() == .code(1))
            #expect(second.text.contains("running already"), "\(second.text)")
            _ = try await first.interrupt()
        }
    }
}

private struct NotUp: Error {
    let description: String
}
