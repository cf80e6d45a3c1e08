import Contract
import Postgres
import RPC
import Wire

/// The operations on keys. None of them is part of a batch, nor takes an idempotency key: what answers a repetition is
/// stored, and a key never is.
struct Keys: Sendable {
    let database: Database

    func add(to operations: inout Operations) {
        operations.on(CreateKey.self) { try await create($0, $1) }
        operations.onJSON(ListKeys.self) { try await list($0, $1) }
        operations.onJSON(RevokeKey.self) { try await revoke($0, $1) }
        operations.on(CheckKey.self) { try await check($0, $1) }
    }

    private func create(_ create: CreateKey, _ call: CallContext) async throws -> CreateKey.Result {
        guard KeyEntry.nameLength.contains(create.name.unicodeScalars.count) else {
            throw ServiceError.invalidArgument("name has to have 1 to \(KeyEntry.nameLength.upperBound) characters.")
        }
        if let lifetime = create.lifetimeSeconds, !CreateKey.lifetimes.contains(lifetime) {
            throw ServiceError.invalidArgument(
                "lifetime_s has to be from \(CreateKey.lifetimes.lowerBound) to \(CreateKey.lifetimes.upperBound)."
            )
        }
        let secret = APIKey.Secret()
        let made = try await database.json(
            """
            insert into api_key (name, digest, expires_at)
            select \(create.name), \(secret.digest.hex), now() + \(create.lifetimeSeconds)::float8 * interval '1 second'
            where (select count(*) from api_key where \(unsafe: Self.isInForce)) < \(CreateKey.most)
            returning \(unsafe: Self.document)
            """,
            deadline: call.deadline
        )
        guard let made else {
            throw ServiceError(
                .resourceExhausted,
                "\(CreateKey.most) keys are in force already: revoke those that nobody uses.",
                retry: .no
            )
        }
        let entry = try made.decode(KeyEntry.self)
        return CreateKey.Result(entry: entry, key: APIKey(id: entry.id, secret).text)
    }

    private func list(_ list: ListKeys, _ call: CallContext) async throws -> JSON {
        guard (1...500).contains(list.limit) else {
            throw ServiceError.invalidArgument("limit has to be from 1 to 500.")
        }
        let found = try await database.json(
            """
            with page as (
                select * from api_key where id > \(list.after) order by id limit \(list.limit + 1)
            ), shown as (
                select * from page order by id limit \(list.limit)
            )
            select jsonb_build_object(
                'keys', coalesce((select jsonb_agg(\(unsafe: Self.document) order by id) from shown as api_key), '[]'),
                'next', case when (select count(*) from page) > \(list.limit) then (select max(id) from shown) end)
            """,
            isReadOnly: true,
            call
        )
        return found ?? .emptyObject
    }

    private func revoke(_ revoke: RevokeKey, _ call: CallContext) async throws -> JSON {
        let revoked = try await database.json(
            """
            update api_key set revoked_at = coalesce(revoked_at, now()) where id = \(revoke.key)
            returning \(unsafe: Self.document)
            """,
            deadline: call.deadline
        )
        guard let revoked else { throw ServiceError.notFound("There is no key \(revoke.key).") }
        return revoked
    }

    /// The digests are compared here and not by Postgres, whose comparison ends at the first difference.
    private func check(_ check: CheckKey, _ call: CallContext) async throws -> CheckKey.Result {
        let rows = try await database.rows(
            """
            select digest, name, last_used_at is null or last_used_at < now() - interval '1 minute' from api_key
            where id = \(check.key) and \(unsafe: Self.isInForce)
            """,
            isReadOnly: true,
            call
        )
        guard let row = rows.first, let digest = KeyDigest(hex: try row[0, as: String.self]), digest == check.digest
        else { throw ServiceError.unauthenticated("The key is not valid.") }
        if try row[2, as: Bool.self] {
            // A right key is right, whether this can be written down or not.
            _ = try? await database.rows(
                "update api_key set last_used_at = now() where id = \(check.key)",
                deadline: call.deadline
            )
        }
        return CheckKey.Result(name: try row[1, as: String.self])
    }

    private static let isInForce = "revoked_at is null and (expires_at is null or expires_at > now())"

    /// A key as the contract has it.
    private static let document = """
        jsonb_build_object('id', api_key.id, 'name', api_key.name, 'prefix', 'octavo_' || api_key.id,
            'created', \(timestamp("created_at")), 'last_used', \(timestamp("last_used_at")),
            'expires', \(timestamp("expires_at")), 'revoked', \(timestamp("revoked_at")))
        """

    private static func timestamp(_ column: String) -> String {
        "to_char(api_key.\(column) at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
    }
}
