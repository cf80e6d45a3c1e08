internal import Contract
internal import Wire

/// Inside a transaction that is rolled back afterwards (`RPCClient.rolledBack`), savepoints stand for the transactions of
/// the code that is tested. It finds everything as it would otherwise, with these differences: they take turns, see one
/// another's work whatever their isolation, and the enclosing one keeps their locks.
extension Transaction {
    /// What was done under an idempotency key: what storage keeps of a call that is committed.
    struct Intention: Sendable {
        let digest: String
        let result: JSON?
    }

    /// The transaction that what is asked of the client is part of, where one encloses the task.
    static func enclosing(_ client: RPCClient) -> Transaction? {
        guard let enclosing, enclosing.client === client else { return nil }
        // Inside the closure of an `atomic`, that one's: the enclosing one waits for its end.
        var candidate = innermost
        while let transaction = candidate, transaction.scope === enclosing.scope {
            if !transaction.isOver { return transaction }
            candidate = transaction.outer
        }
        return enclosing
    }

    /// A call on the client. When it fails it is undone, and the enclosing transaction can go on.
    func call<O: Operation>(
        _ operation: O,
        deadline: Duration,
        idempotencyKey: String?
    ) async throws(ServiceError) -> JSON {
        do {
            let digest = try idempotencyKey.map { _ in try "\(O.name) \(operation.encoded())" }
            return try await standIn(
                key: idempotencyKey,
                digest: digest ?? "",
                { try await $0.json(operation, deadline: deadline) },
                storing: { $0 },
                reading: { $0 }
            )
        } catch let error as ServiceError {
            throw error
        } catch {
            throw .invalidArgument("The arguments of \(O.name) cannot be sent.")
        }
    }

    /// A transaction on the client: committed, for whoever asked for it, when the savepoint is released.
    func standIn<Value>(
        key: String?,
        digest: String,
        _ body: (Transaction) async throws -> Value,
        storing store: (Value) throws -> JSON?,
        reading read: (JSON?) throws -> Value?
    ) async throws -> Value {
        let (value, work) = try await nested { nested in
            // Within the savepoint, since another task with the same key may have come first.
            if let key, let earlier = intention(key) {
                guard earlier.digest == digest, let value = try read(earlier.result) else {
                    throw ServiceError.alreadyExists("This idempotency key was used for another call.")
                }
                return value
            }
            let value = try await body(nested)
            if let key { nested.keep(Intention(digest: digest, result: try store(value)), as: key) }
            return value
        }
        for work in work { await work() }
        return value
    }
}
