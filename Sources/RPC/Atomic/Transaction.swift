public import Contract
internal import Synchronization
public import Wire

/// An open transaction, inside the closure of `atomic`. Calls made on it are part of it; concurrent ones are pipelined on
/// its one connection to Postgres. It may be used by several tasks at once, and not after the closure has returned.
///
/// When a statement fails, Postgres refuses everything that follows in the transaction: let the error out of the closure,
/// or put what may fail into an `atomic` of its own.
public final class Transaction: Sendable {
    /// What the task, and those it has begun, does is part of this transaction, also when it is asked of the client
    /// itself. For tests that are rolled back.
    @TaskLocal static var enclosing: Transaction?
    /// The transaction or savepoint whose closure the task is in.
    @TaskLocal static var innermost: Transaction?

    private struct State {
        var afterCommit: [@Sendable () async -> Void] = []
        /// What was done in it under an idempotency key; only while it is enclosed by another.
        var intentions: [String: Intention] = [:]
        var isOver = false
    }

    let client: RPCClient
    let scope: TransactionScope
    /// The savepoint this one is nested in.
    let outer: Transaction?
    private let depth: Int
    private let gate = SavepointGate()
    private let state = Mutex(State())

    init(client: RPCClient, scope: TransactionScope) {
        (self.client, self.scope, outer, depth) = (client, scope, nil, 0)
    }

    private init(within outer: Transaction) {
        (client, scope, depth) = (outer.client, outer.scope, outer.depth + 1)
        self.outer = outer
    }

    /// Calls an operation as part of the transaction.
    /// - Throws: `ServiceError`; `failed_precondition` when the transaction is over, or a nested one is open whose closure
    ///   this is called from: use that one.
    public func perform<O: Operation>(_ operation: O) async throws(ServiceError) -> O.Result {
        try decodeAnswer(try await json(operation), of: O.name)
    }

    /// Calls an operation as part of the transaction, and passes its answer on without decoding it.
    /// - Throws: as `perform`.
    public func json<O: Operation>(_ operation: O) async throws(ServiceError) -> JSON {
        try await json(operation, deadline: nil)
    }

    func json<O: Operation>(_ operation: O, deadline: Duration?) async throws(ServiceError) -> JSON {
        try check()
        try await gate.enter(.call)
        defer { gate.leave(.call) }
        return try await scope.call(operation, deadline: deadline)
    }

    /// Does something after the transaction was committed, in the order it was asked for, and not at all when it is
    /// rolled back. When asked for in a nested one, also not when only that is rolled back.
    public func afterCommit(_ work: @Sendable @escaping () async -> Void) {
        state.withLock { $0.afterCommit.append(work) }
    }

    /// A transaction nested in this one: a savepoint. When the closure throws, what was done in it is undone, and this
    /// transaction can go on. While it is open, other calls on this transaction wait for its end.
    /// - Throws: what the closure throws, or `ServiceError`.
    public func atomic<Value>(_ body: (Transaction) async throws -> Value) async throws -> Value {
        let (value, work) = try await nested { nested in
            let value = try await body(nested)
            try Task.checkCancellation()
            return value
        }
        state.withLock { $0.afterCommit += work }
        return value
    }

    /// A savepoint; its caller sees to what is to be done after the commit.
    func nested<Value>(
        _ body: (Transaction) async throws -> Value
    ) async throws -> (Value, afterCommit: [@Sendable () async -> Void]) {
        try check()
        try await gate.enter(.savepoint)
        defer { gate.leave(.savepoint) }
        guard !Task.isCancelled else { throw ServiceError.cancelled() }
        let nested = Transaction(within: self)
        // Not given up on the way, as releasing it is not: nobody would know then whether it is set.
        try await scope.call(SetSavepoint(nested.depth), isCancellable: false)
        do {
            let value = try await nested.run(body)
            try await scope.call(ReleaseSavepoint(nested.depth), isCancellable: false)
            let intentions = nested.state.withLock(\.intentions)
            state.withLock { $0.intentions.merge(intentions) { _, new in new } }
            return (value, nested.takeAfterCommit())
        } catch {
            nested.end()
            // When this fails the whole transaction has failed, as the next call will say.
            _ = try? await scope.call(RollBackToSavepoint(nested.depth), isCancellable: false)
            throw error
        }
    }

    // MARK: For `atomic`

    /// Runs the closure; calls that are still under way when it has returned are waited for.
    func run<Value>(_ body: (Transaction) async throws -> Value) async throws -> Value {
        let value = try await Self.$innermost.withValue(self) { try await body(self) }
        end()
        try await gate.enter(.savepoint)
        gate.leave(.savepoint)
        return value
    }

    /// No further calls.
    func end() {
        state.withLock { $0.isOver = true }
    }

    func takeAfterCommit() -> [@Sendable () async -> Void] {
        state.withLock { state in
            defer { state.afterCommit = [] }
            return state.afterCommit
        }
    }

    var isOver: Bool { state.withLock(\.isOver) }

    /// What was done in it, or before in those it is nested in, under an idempotency key.
    func intention(_ key: String) -> Intention? {
        state.withLock { $0.intentions[key] } ?? outer?.intention(key)
    }

    func keep(_ intention: Intention, as key: String) {
        state.withLock { $0.intentions[key] = intention }
    }

    private func check() throws(ServiceError) {
        guard !isOver else { throw .failedPrecondition("The transaction is over.") }
        // It would wait for the end of the nested one, which waits for this.
        var nested = Self.innermost?.outer
        while let candidate = nested {
            guard candidate !== self else {
                throw .failedPrecondition("A nested transaction is open here: call that one.")
            }
            nested = candidate.outer
        }
    }
}
