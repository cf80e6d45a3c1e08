import Daemon
import FoundationEssentials
import Glibc
import Systemd
import Testing

@Suite(.serialized) struct ListenSocketBindTests {
    @Test func theFileHasTheModeAndTheSocketItsName() async throws {
        try await withScratch { scratch in
            let socket = try ListenSocket.bindUnix(name: "admin", path: "\(scratch)/s", mode: 0o660)
            defer { close(socket.descriptor) }
            var status = stat()
            #expect(lstat("\(scratch)/s", &status) == 0)
            #expect(status.st_mode & 0o777 == 0o660)
            #expect(socket.name == "admin")
            #expect(socket.kind == .unix(path: "\(scratch)/s"))
        }
    }

    @Test func aFileLeftByTheDeadIsReplacedAndALivingSocketIsNot() async throws {
        try await withScratch { scratch in
            let first = try ListenSocket.bindUnix(name: "a", path: "\(scratch)/s")
            let error = #expect(throws: ConfigurationError.self) {
                try ListenSocket.bindUnix(name: "a", path: "\(scratch)/s")
            }
            #expect(error?.description.hasPrefix("Somebody already answers on \(scratch)/s") == true)
            close(first.descriptor)
            let second = try ListenSocket.bindUnix(name: "a", path: "\(scratch)/s")
            close(second.descriptor)
        }
    }

    @Test func aFileThatIsNoSocketIsNeverRemoved() async throws {
        try await withScratch { scratch in
            try "precious".write(toFile: "\(scratch)/s", atomically: false, encoding: .utf8)
            #expect(throws: ConfigurationError.self) { try ListenSocket.bindUnix(name: "a", path: "\(scratch)/s") }
            #expect(try String(contentsOfFile: "\(scratch)/s", encoding: .utf8) == "precious")
        }
    }

    @Test func aPathOf107BytesWorksAndOneMoreIsRefused() async throws {
        try await withScratch { scratch in
            let longest = scratch + "/" + String(repeating: "s", count: 106 - scratch.utf8.count)
            let socket = try ListenSocket.bindUnix(name: "a", path: longest)
            #expect(socket.kind == .unix(path: longest))
            close(socket.descriptor)
            let error = #expect(throws: ConfigurationError.self) {
                try ListenSocket.bindUnix(name: "a", path: longest + "s")
            }
            #expect(error?.description.contains("has 108 bytes; Linux allows 1 to 107") == true)
        }
    }

    @Test func aDirectoryThatIsNotThereIsASentence() {
        let error = #expect(throws: ConfigurationError.self) {
            try ListenSocket.bindUnix(name: "a", path: "/nonexistent/s")
        }
        #expect(error?.description.contains("/nonexistent/") == true)
    }

    @Test func aBusyPortIsASentenceThatNamesIt() throws {
        let first = try ListenSocket.bindTCP(name: "http", host: "localhost", port: 0)
        defer { close(first.descriptor) }
        guard case .inet("127.0.0.1", let port) = first.kind else {
            Issue.record("\(first.kind)")
            return
        }
        let error = #expect(throws: ConfigurationError.self) {
            try ListenSocket.bindTCP(name: "http", host: "127.0.0.1", port: port)
        }
        #expect(error?.description.hasPrefix("Port \(port) on 127.0.0.1 is already in use") == true)
    }

    @Test(arguments: ["example.com", "", "999.1.1.1", "127.0.0.1:80"])
    func aHostThatIsNoAddressIsRefused(host: String) {
        #expect(throws: ConfigurationError.self) { try ListenSocket.bindTCP(name: "http", host: host, port: 0) }
    }
}
