import Contract
import Daemon
import NIOHTTP1
import RPC
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
}
