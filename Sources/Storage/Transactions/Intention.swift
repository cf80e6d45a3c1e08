import Contract
import NIOCore
import Postgres
import RPC
import Wire

/// A caller's intention, named by its idempotency key: stored by the transaction that carries it out, so that it is
/// carried out once.
struct Intention: Sendable {
    /// Of one role: others may choose the same key.
    let key: String
    private let digest: String

    /// The intention of a call that has a key.
    init?(_ call: CallContext) {
        guard let key = call.idempotencyKey else { return nil }
        self.key = "\(call.role.rawValue):\(key)"
        digest = "\(call.operation) \(call.arguments)"
    }

    /// What a transaction begins with: waits for another one of the same key, and ends this one when that was committed.
    var claim: Query {
        """
        with claimed as (
            insert into intention (key, digest) values (\(key), sha256(convert_to(\(digest), 'UTF8')))
            on conflict do nothing returning true
        )
        select case when exists (select from claimed) then true
            else octavo_refuse('\(unsafe: Self.carriedOut)', 'It was carried out before.') end
        """
    }

    /// Keeps what a repetition is answered with.
    func store(_ result: JSON) -> Query {
        "update intention set result = \(result.description)::text::json where key = \(key)"
    }

    /// What the earlier call of this key was answered with.
    var earlier: Query {
        """
        select digest = sha256(convert_to(\(digest), 'UTF8')), result from intention where key = \(key)
        """
    }

    /// The SQLSTATE by which `claim` ends a transaction.
    static let carriedOut = "OC003"
}

extension Database {
    /// The result of an earlier call with the same key; nil when it stored none.
    func earlierResult(_ intention: Intention, deadline: ContinuousClock.Instant) async throws -> JSON? {
        let rows = try await rows(intention.earlier, isReadOnly: true, deadline: deadline)
        guard let row = rows.first else { throw ServiceError.aborted("The key was given up meanwhile; try again.") }
        guard try row[0, as: Bool.self] else {
            throw ServiceError.alreadyExists("This idempotency key was used for another call.")
        }
        return try row.isNull(1) ? nil : JSON(trusted: ByteBuffer(bytes: try row.bytes(1)))
    }
}

extension ServiceError {
    /// Whether it is the answer to a `claim` of something that was carried out before.
    var isCarriedOut: Bool { code == .alreadyExists && details == Self.carriedOut.details }

    /// The answer to such a claim; it stays within storage.
    static let carriedOut = ServiceError(
        .alreadyExists,
        "It was carried out before.",
        details: JSON(trusted: #"{"state":"carried_out"}"#)
    )
}
