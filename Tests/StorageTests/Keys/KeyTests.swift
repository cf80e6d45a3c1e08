import Contract
import OctavoTesting
import Postgres
import RPC
import Storage
import Testing
import Wire

/// Keys as storage keeps them.
@Suite(.serialized) struct KeyTests {
    private func withStorage(
        _ body: @Sendable @escaping (RPCClient, PostgresConnection) async throws -> Void
    ) async throws {
        try await TestStorage.run { storage in
            let connection = try await PostgresConnection.connect(PostgresConfiguration(storage.connectionString))
            try await body(storage.client, connection)
            await connection.close()
        }
    }

    private func code(_ body: () async throws -> Void) async -> ErrorCode? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? ServiceError)?.code
        }
    }

    @Test func aKeyIsShownOnceAndItsDigestAloneIsStored() async throws {
        try await withStorage { storage, connection in
            let made = try await storage.perform(CreateKey(name: "ci"))
            let key = try #require(APIKey(made.key))
            #expect(made.entry.id == key.id && made.entry.prefix == key.prefix && made.entry.name == "ci")
            #expect(made.entry.expires == nil && made.entry.lastUsed == nil && made.entry.revoked == nil)

            let rows = try await connection.query("select digest, row_to_json(api_key)::text from api_key")
            let (digest, row) = (try rows[0][0, as: String.self], try rows[0][1, as: String.self])
            #expect(digest == key.digest.hex)
            let secret = made.key.dropFirst(key.prefix.count + 1)
            #expect(!row.contains(secret))
            let listed = try await storage.json(ListKeys())
            #expect(!listed.description.contains(secret) && !listed.description.contains(digest))
        }
    }

    @Test func aNameIsGivenToOneKeyInForce() async throws {
        try await withStorage { storage, _ in
            let first = try await storage.perform(CreateKey(name: "ci"))
            let again = await code { _ = try await storage.perform(CreateKey(name: "ci")) }
            #expect(again == .alreadyExists)
            let revoked = try await storage.perform(RevokeKey(first.entry.id))
            #expect(revoked.revoked != nil)
            let twice = try await storage.perform(RevokeKey(first.entry.id))
            #expect(twice.revoked == revoked.revoked)
            let second = try await storage.perform(CreateKey(name: "ci"))
            #expect(second.entry.id != first.entry.id)
            let missing = await code { _ = try await storage.perform(RevokeKey(99)) }
            #expect(missing == .notFound)
        }
    }

    @Test func keysAreListedByPages() async throws {
        try await withStorage { storage, _ in
            for number in 1...5 {
                _ = try await storage.perform(CreateKey(name: "k\(number)", lifetimeSeconds: 86_400))
            }
            let first = try await storage.perform(ListKeys(limit: 3))
            #expect(first.keys.map(\.name) == ["k1", "k2", "k3"] && first.next == first.keys.last?.id)
            let second = try await storage.perform(ListKeys(after: first.next ?? 0, limit: 3))
            #expect(second.keys.map(\.name) == ["k4", "k5"] && second.next == nil)
            #expect(second.keys.allSatisfy { $0.expires != nil })
        }
    }

    @Test func whatMakesNoSenseIsRefused() async throws {
        try await withStorage { storage, connection in
            for create in [
                CreateKey(name: ""), CreateKey(name: String(repeating: "x", count: 101)),
                CreateKey(name: "a", lifetimeSeconds: 59), CreateKey(name: "a", lifetimeSeconds: 315_360_001),
            ] {
                let refused = await code { _ = try await storage.perform(create) }
                #expect(refused == .invalidArgument)
            }
            try await connection.query(
                """
                insert into api_key (name, digest)
                select 'k' || number, repeat('0', 64) from generate_series(1, 1000) as number
                """
            )
            let full = await code { _ = try await storage.perform(CreateKey(name: "one more")) }
            #expect(full == .resourceExhausted)
        }
    }

    @Test func onlyTheGatewayChecksKeysAndOnlyAdministratorsMakeThem() {
        #expect(CheckKey.callers == [.gateway])
        for callers in [CreateKey.callers, ListKeys.callers, RevokeKey.callers] { #expect(callers == [.admin]) }
    }
}
