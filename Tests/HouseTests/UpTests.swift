import Console
import Contract
import Daemon
import FoundationEssentials
import Glibc
import RPC
import Systemd
import TestSupport
import Testing

/// `octavo up` as somebody meets it who has just built it.
@Suite(.serialized) struct UpTests {
    @Test func theFirstStartMakesEverythingAndTheSecondUsesItAgain() async throws {
        try await withState { state in
            let first = try Up(state, ["--port", "0", "--ask", "How long may a frame be?"])
            let address = try await first.address()
            #expect(first.text.contains("imported \"Octavo\""))
            #expect(first.text.contains("? How long may a frame be?"))
            let books = try await shell("curl -s \(address)/v1/books")
            #expect(books.contains(#""title": "Octavo""#), "\(books)")
            #expect(try await first.stop() == .code(0))
            #expect(first.text.contains("the data are kept"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: state + "/run") == [])

            let second = try Up(state)
            let again = try await second.address()
            #expect(!second.text.contains("imported"))
            #expect(try await shell("curl -s \(again)/v1/books") == books)
            #expect(try await second.stop() == .code(0))
        }
    }

    @Test func aFirstBookThatWasRenamedIsNotMadeAgain() async throws {
        try await withState { state in
            let first = try Up(state)
            let address = try await first.address()
            let head = try await shell("curl -s -o /dev/null -D - \(address)/v1/ask --json '{\"question\":\"frame\"}'")
            #expect(head.contains("octavo-run: "), "\(head)")
            try await RPCClient.withConnection(path: state + "/run/storage-admin.sock", role: .admin, name: "storage") {
                _ = try await $0.perform(SetBookTitle(1, to: "Manual"))
            }
            #expect(try await first.stop() == .code(0))

            let second = try Up(state)
            let books = try await shell("curl -s \(try await second.address())/v1/books")
            #expect(books.contains(#""title": "Manual""#) && !books.contains(#""title": "Octavo""#), "\(books)")
            #expect(try await second.stop() == .code(0))
        }
    }

    @Test func aBusyPortIsSaid() async throws {
        try await withState { state in
            let busy = try ListenSocket.bindTCP(name: "http", host: "127.0.0.1", port: 0)
            guard case .inet(_, let port) = busy.kind else { return }
            defer { close(busy.descriptor) }
            let up = try Up(state, ["--port", "\(port)"])
            #expect(try await up.child.waitForExit() == .code(1))
            #expect(up.text.contains("\(port)"), "\(up.text)")
        }
    }

    @Test(arguments: ["postgres://[", "nonsense", "host=/x port=abc unknown=1"])
    func aDatabaseURLThatCannotBeUsedIsRefusedAtOnce(url: String) async throws {
        try await withState { state in
            let up = try Up(state, environment: ["DATABASE_URL": url])
            #expect(try await up.child.waitForExit() == .code(1))
            #expect(up.text.contains("DATABASE_URL cannot be used"), "\(up.text)")
        }
    }

    @Test func anInterruptWhileItStillWaitsIsACleanStop() async throws {
        try await withState { state in
            // Nobody listens there, so storage never becomes ready.
            let up = try Up(state, environment: ["DATABASE_URL": "host=/nowhere user=octavo dbname=octavo"])
            // Signals are caught before the first service starts, and a service says that it listens.
            try await eventually { FileManager.default.contents(atPath: state + "/octavo.log")?.isEmpty == false }
            #expect(try await up.stop() == .code(0), "\(up.text)")
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
            let first = try Up(state)
            _ = try await first.address()
            let second = try Up(state + "/", output: state + "/second")
            #expect(try await second.child.waitForExit() == .code(1))
            #expect(second.text.contains("running already"), "\(second.text)")
            _ = try await first.stop()
        }
    }
}
