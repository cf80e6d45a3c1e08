import Contract
import Daemon
import Glibc
import NIOHTTP1
import RPC
import Systemd
import TestSupport
import Testing
import Wire

/// Keys from the command line to HTTP.
@Suite(.serialized) struct KeyTests {
    @Test func aKeyOpensTheGatewayUntilItIsRevoked() async throws {
        try await TestHouse.run(database: TestDatabase.make(), settings: ["OCTAVO_HTTP_KEYS": "always"]) { house in
            try await house.waitUntilReady()
            let http = HTTP(house: house)
            func status(_ key: String?) async throws -> Int {
                let headers: HTTPHeaders = key.map { ["authorization": "Bearer \($0)"] } ?? [:]
                return try await http.get("/v1/books", headers: headers).status
            }
            let without = try await status(nil)
            #expect(without == 401)

            let folder = ["--run-folder", house.runFolder]
            let made = try await house.octavo(["keys", "create", "ci", "--expires", "90d"] + folder)
            let key = String(made.text.prefix { !$0.isNewline })
            #expect(made.exit == .code(0) && APIKey(key) != nil, "\(made.errors)")
            #expect(made.errors.contains("octavo keys revoke 1"), "\(made.errors)")
            let with = try await status(key)
            #expect(with == 200)
            let asked = try await house.octavo(["ask", "--json", "What?"], environment: ["OCTAVO_KEY": key])
            #expect(asked.exit == .code(0), "\(asked.errors)")

            let list = try await house.octavo(["keys", "list"] + folder)
            #expect(list.text.contains("octavo_1") && list.text.contains("ci") && !list.text.contains(key.suffix(43)))
            let entry = try await house.withAdmin(of: "storage") { try await $0.perform(ListKeys()).keys.first }
            #expect(entry?.lastUsed != nil && entry?.expires != nil)

            let revoked = try await house.octavo(["keys", "revoke", "1"] + folder)
            #expect(revoked.exit == .code(0), "\(revoked.errors)")
            try await eventually { try await status(key) == 401 }
            #expect(!house.log.contains(key.suffix(43)))
        }
    }

    @Test func onAUnixSocketTheFileDecidesUnlessKeysAreAlwaysAskedFor() async throws {
        for (rule, status) in [("beyond-loopback", "404"), ("always", "401")] {
            try await TestHouse.run(database: nil) { house in
                let path = "\(house.runFolder)/http.sock"
                let listener = try ListenSocket.bindUnix(name: "http", path: path)
                defer { close(listener.descriptor) }
                let own = try #require(CommandLine.arguments.first)
                let folder = own[..<(own.lastIndex(of: "/") ?? own.endIndex)]
                var launch = ChildProcess.Launch(path: "\(folder)/octavo-gateway")
                launch.environment = ["OCTAVO_HTTP_KEYS": rule]
                launch.sockets = [listener]
                let gateway = try ChildProcess(launch)
                defer { gateway.kill() }
                let answer = try await shell(
                    "curl -s -o /dev/null -w '%{http_code}' --unix-socket \(path) http://localhost/nowhere"
                )
                #expect(answer == status, "\(rule)")
            }
        }
    }
}
