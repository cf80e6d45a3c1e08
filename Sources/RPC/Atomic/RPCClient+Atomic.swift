public import Contract
internal import FoundationEssentials
public import Wire

extension RPCClient {
    /// Runs a closure inside one transaction: everything it does on the transaction is committed together when it returns,
    /// and rolled back when it throws, when the task is cancelled, when the deadline passes or when either side is lost.
    ///
    ///     try await storage.atomic { transaction in
    ///         async let title = transaction.perform(SetBookTitle(book, to: newTitle))
    ///         async let name = transaction.perform(SetReaderName(reader, to: newName))
    ///         _ = try await (title, name)
    ///     }
    ///
    /// The closure runs again from its beginning when the transaction lost a race with another (a serialization failure or
    /// a deadlock), until the deadline: what it does outside the transaction has to bear that. Work that must happen once
    /// belongs into `Transaction.afterCommit`.
    ///
    /// When the answer to the commit is lost, the service is asked, until the deadline, whether it was committed; the
    /// closure runs again only when it certainly was not.
    ///
    /// A connection to Postgres is held while the closure runs: nobody waits for a model or a person in it. After 5 s in
    /// which it calls nothing the transaction is rolled back.
    ///
    /// - Parameters:
    ///   - isolation: what the transaction sees of others.
    ///   - isReadOnly: whether writing is refused.
    ///   - deadline: for all of it, repetitions included.
    /// - Throws: what the closure throws, or `ServiceError`: `aborted` when the races were lost until the deadline,
    ///   `outcome_unknown` when nobody could say by then whether it was committed.
    public func atomic<Value>(
        isolation: BeginTransaction.Isolation = .readCommitted,
        isReadOnly: Bool = false,
        deadline: Duration = .seconds(30),
        traceparent: TraceParent? = nil,
        _ body: (Transaction) async throws -> Value
    ) async throws -> Value {
        var attempt = Attempt<Value>(
            begin: BeginTransaction(isolation: isolation, isReadOnly: isReadOnly),
            key: isReadOnly ? nil : UUID().uuidString,
            traceparent: traceparent,
            end: .now + deadline
        )
        return try await attempt.run(on: self, body, storing: { _ in nil }, reading: { _ in nil })
    }

    /// As `atomic`, once for all calls with the same key: after the first of them was committed, the others get its value
    /// and their closures do not run.
    /// - Parameter idempotencyKey: 1 to 100 octets that name the intention.
    public func atomic<Value: Codable & Sendable>(
        idempotencyKey: String,
        isolation: BeginTransaction.Isolation = .readCommitted,
        deadline: Duration = .seconds(30),
        traceparent: TraceParent? = nil,
        _ body: (Transaction) async throws -> Value
    ) async throws -> Value {
        var attempt = Attempt<Value>(
            begin: BeginTransaction(isolation: isolation),
            key: idempotencyKey,
            traceparent: traceparent,
            end: .now + deadline
        )
        attempt.mayBeCommitted = true
        return try await attempt.run(
            on: self,
            body,
            storing: { try JSON(encoding: $0) },
            reading: { result in
                guard let result else { return nil }
                return try result.decode(Value.self)
            }
        )
    }
}
