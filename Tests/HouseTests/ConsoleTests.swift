import Console
import Contract
import Daemon
import FoundationEssentials
import Glibc
import Systemd
import TestSupport
import Testing
import Wire

/// The command line as a person or a script meets it.
@Suite(.serialized) struct ConsoleTests {
    @Test func operatorsAndSwitchesAreWordsLikeOthers() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            let page =
                "# Operators\n\nThe operator `->>` gives text. Ranges are adjacent with `-|-`. The switch `-x` is loud."
            try await house.importBook("Operators", ["a.md": page])
            for query in ["->>", "-|-", "-x", "--"] {
                let words = ["books", "search", "--limit", "1", "--json", "--run-folder", house.runFolder, query]
                let found = try await house.octavo(words)
                #expect(found.exit == .code(0), "\(query): \(found.errors)")
                #expect(try JSON(validating: found.text.trimmed).member("hits") != nil)
            }
            let found = try await house.octavo(["books", "search", "->>", "--run-folder", house.runFolder])
            #expect(found.text.contains("Operators"), "\(found.text)")
            let behind = try await house.octavo(["books", "search", "--run-folder", house.runFolder, "--", "--limit"])
            #expect(behind.exit == .code(0), "\(behind.errors)")
            for question in [["-x"], ["What", "does", "->>", "do?"], ["--", "->>"]] {
                let answer = try await house.octavo(["ask", "--json"] + question)
                #expect(answer.exit == .code(0), "\(question): \(answer.errors)")
            }
        }
    }

    @Test func aMisspeltOptionIsRefusedAndNotAskedFor() async throws {
        let output = try await octavo(["books", "search", "--limt", "5", "word"])
        #expect(output.exit == .code(64))
        #expect(output.errors.contains("Unknown option '--limt'"), "\(output.errors)")
        #expect(output.errors.contains("octavo books search -- …"), "\(output.errors)")
    }

    @Test func healthIsOneDocumentByServiceAlsoOfThoseThatDoNotAnswer() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            var output = try await house.octavo(["health", "--json", "--run-folder", house.runFolder])
            try await eventually {
                output = try await house.octavo(["health", "--json", "--run-folder", house.runFolder])
                return output.exit == .code(0)
            }
            let all = try JSON(validating: output.text.trimmed)
            for service in ["gateway", "agent-runner", "storage"] {
                #expect(try all.member(service)?.decode(Health.self).service == service)
            }
            #expect(try all.member("storage")?.decode(Health.self).inFlight == 0)
            let text = try await house.octavo(["health", "--run-folder", house.runFolder]).text
            #expect(text.contains("0 calls in flight"), "\(text)")
        }
        let away = try await octavo(["health", "--json", "--run-folder", "/nowhere"])
        #expect(away.exit == .code(1))
        let storage = try #require(JSON(validating: away.text.trimmed).member("storage"))
        #expect(storage.member("live")?.description == "false")
        #expect(storage.description.contains("octavo up"))
    }

    @Test func healthIsAnsweredHoweverManyConnectionsAreHeldOpen() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            var held: [Int32] = []
            defer { for one in held { close(one) } }
            for service in ["gateway", "agent-runner", "storage"] {
                for number in 0..<200 {
                    let one = try connected("\(house.runFolder)/\(service)-admin.sock")
                    held.append(one)
                    if number % 2 == 1 { _ = send(one, "24 {\"id\":", 9, Int32(MSG_NOSIGNAL)) }
                }
            }
            try await eventually {
                try await house.octavo(["health", "--run-folder", house.runFolder]).exit == .code(0)
            }
            // Nobody was cut off from work: a book still comes in.
            try await house.importBook("Handbook", handbook)
        }
    }

    @Test func aTerminalShowsTheWholeAnswerAndColourOnlyWhereItIsWanted() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            try await house.importBook("Handbook", handbook)
            let program = try House.programs() + "/octavo"
            let ask = "\(program) ask --url \(house.address) How do I request a day off"
            // script(1) gives it a terminal of its own.
            let colourful = try await shell("TERM=xterm script -qec '\(ask)' /dev/null")
            #expect(colourful.contains("\u{1B}[36m[1]"), "\(colourful)")
            let seen = colourful.split(separator: "\r\n").compactMap { $0.split(separator: "\r\u{1B}[K").last }
            #expect(seen.contains { $0.contains("at least two weeks before") }, "\(colourful)")
            let plain = try await shell("NO_COLOR=1 TERM=xterm script -qec '\(ask)' /dev/null")
            #expect(plain.contains("two weeks before") && !plain.contains("\u{1B}[36m"), "\(plain)")
            let piped = try await house.octavo(["ask", "How do I request a day off"]).text
            #expect(piped.contains("two weeks before") && !piped.contains("\u{1B}"), "\(piped)")
        }
    }

    @Test func everyErrorIsASentenceThatSaysWhatToDo() async throws {
        try await withState { folder in
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let run = ["--run-folder", folder]
            #expect(try await errors(["books"] + run).contains("Start it with `octavo up`"))

            let socket = try ListenSocket.bindUnix(name: "admin", path: folder + "/storage-admin.sock")
            close(socket.descriptor)
            #expect(try await errors(["books"] + run).contains("Start it again: octavo up"))

            let long = folder + "/" + String(repeating: "x", count: 100)
            #expect(try await errors(["books", "--run-folder", long]).contains("107 are allowed"))

            for url in ["nonsense", "ftp://127.0.0.1", "http://"] {
                #expect(try await errors(["ask", "--url", url, "x"]).contains("is not the address of a gateway"))
            }
            let refused = try await errors(["ask", "--url", "http://127.0.0.1:1", "x"])
            #expect(refused.contains("Connection refused. Start Octavo with `octavo up`"), "\(refused)")
            let unknown = try await errors(["ask", "--url", "http://octavo.invalid", "x"])
            #expect(unknown.contains("There is no gateway"), "\(unknown)")
            #expect(try await errors(["runs", "show", "x"]).contains("octavo runs list"))
        }
    }

    @Test func everyCommandTeaches() async throws {
        let commands = [
            [], ["up"], ["ask"], ["books"], ["books", "list"], ["books", "import"], ["books", "search"], ["runs"],
            ["runs", "list"], ["runs", "show"], ["health"],
        ]
        for command in commands {
            let help = try await octavo(command + ["--help"]).text
            #expect(help.contains("OVERVIEW: "), "\(command)")
            #expect(help.contains("\n  octavo "), "\(command) shows no example:\n\(help)")
        }
    }

    @Test func onATerminalHealthIsNoWiderThanIt() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            try await eventually {
                try await house.octavo(["health", "--run-folder", house.runFolder]).exit == .code(0)
            }
            let health = try "\(House.programs())/octavo health --run-folder \(house.runFolder)"
            let shown = try await shell("script -qec 'stty cols 60; NO_COLOR=1 \(health)' /dev/null")
            let lines = shown.split(separator: "\r\n")
            #expect(lines.contains { $0.hasPrefix("storage ") } && lines.allSatisfy { $0.count <= 60 }, "\(shown)")
            #expect(lines.contains { $0.contains("pool.open") }, "\(shown)")
        }
    }

    private func errors(_ arguments: [String]) async throws -> String {
        let output = try await octavo(arguments)
        #expect(output.exit == .code(1), "\(arguments): \(output)")
        for raw in ["NIO", "errno", "connect(", "descriptor:", "HTTPClientError"] {
            #expect(!output.errors.contains(raw), "\(arguments): \(output.errors)")
        }
        return output.errors
    }

    /// Runs `octavo` with no house around it.
    private func octavo(_ arguments: [String]) async throws -> TestHouse.Output {
        try await TestHouse.octavo(arguments, output: "/tmp/octavo-console-\(UInt32.random(in: 0 ... .max))")
    }

    private func connected(_ path: String) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let answer = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(answer == 0)
        return descriptor
    }
}

extension String {
    fileprivate var trimmed: String { String(prefix { !$0.isNewline }) }
}
