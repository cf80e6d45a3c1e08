internal import Contract
internal import Wire

extension RPCClient {
    /// Runs a closure in a transaction that is rolled back afterwards, however the closure ends. For tests.
    ///
    /// Everything that the closure, and the tasks it begins, ask of this client is part of the transaction. A call that
    /// fails is undone alone. `atomic` and `batch` work as ever; what `afterCommit` was given runs when the outermost
    /// `atomic` of the closure has ended. Streams are refused: they cannot be part of a transaction.
    ///
    /// Inside another one it is part of that.
    ///
    /// It waits for a connection to Postgres before it runs the closure, at most ten minutes; so long it may take in all,
    /// and a minute between two calls.
    package func rolledBack<Value>(_ body: () async throws -> Value) async throws -> Value {
        if Transaction.enclosing(self) != nil { return try await body() }
        let scope = TransactionScope(
            client: self,
            BeginTransaction(idleMilliseconds: BeginTransaction.longestIdleMilliseconds),
            key: nil,
            traceparent: nil,
            end: .now + .milliseconds(Limits.longestDeadlineMilliseconds)
        )
        defer { scope.leave() }
        _ = try await scope.standing()
        let transaction = Transaction(client: self, scope: scope)
        let outcome: Result<Value, any Error>
        do {
            outcome = .success(try await Transaction.$enclosing.withValue(transaction) { try await body() })
        } catch {
            outcome = .failure(error)
        }
        transaction.end()
        // Waited for, so that its locks keep nobody waiting; when it fails the transaction has ended already.
        _ = try? await scope.call(RollBackTransaction(), isCancellable: false)
        return try outcome.get()
    }
}
