internal import Contract
internal import Wire

/// The repetitions of one `atomic`.
struct Attempt<Value> {
    let begin: BeginTransaction
    let key: String?
    let traceparent: TraceParent?
    let end: ContinuousClock.Instant
    /// Whether a transaction of this key may have been committed: then that is asked before anything is done.
    var mayBeCommitted = false
    /// The value of an attempt whose commit was not answered.
    private var unconfirmed: (value: Value, work: [@Sendable () async -> Void])?
    private var pause = 10.0

    init(begin: BeginTransaction, key: String?, traceparent: TraceParent?, end: ContinuousClock.Instant) {
        (self.begin, self.key, self.traceparent, self.end) = (begin, key, traceparent, end)
    }

    mutating func run(
        on client: RPCClient,
        _ body: (Transaction) async throws -> Value,
        storing store: (Value) throws -> JSON?,
        reading read: (JSON?) throws -> Value?
    ) async throws -> Value {
        if let enclosing = Transaction.enclosing(client) {
            return try await run(within: enclosing, body, storing: store, reading: read)
        }
        while true {
            let scope = TransactionScope(client: client, begin, key: key, traceparent: traceparent, end: end)
            defer { scope.leave() }
            do {
                if mayBeCommitted, let value = try await committedBefore(scope, read) { return value }
                return try await once(Transaction(client: client, scope: scope), body, store)
            } catch let error as ServiceError where unconfirmed != nil || error.code == .aborted {
                try await wait(after: error)
            }
        }
    }

    /// As above, where a savepoint stands for the transaction.
    private mutating func run(
        within enclosing: Transaction,
        _ body: (Transaction) async throws -> Value,
        storing store: (Value) throws -> JSON?,
        reading read: (JSON?) throws -> Value?
    ) async throws -> Value {
        // Without a result that is stored, the key is this attempt's own.
        let key = mayBeCommitted ? key : nil
        let digest = "\(BeginTransaction.name) \(begin.isolation)"
        while true {
            do {
                return try await enclosing.standIn(
                    key: key,
                    digest: digest,
                    { transaction in
                        let value = try await body(transaction)
                        try Task.checkCancellation()
                        return value
                    },
                    storing: store,
                    reading: read
                )
            } catch let error as ServiceError where error.code == .aborted {
                try await wait(after: error)
            }
        }
    }

    /// The value of the earlier transaction of this key, if it was committed.
    private mutating func committedBefore(
        _ scope: TransactionScope,
        _ read: (JSON?) throws -> Value?
    ) async throws -> Value? {
        let standing = try await scope.standing()
        guard standing.state == .committed else {
            // It certainly was not; this transaction is its next attempt.
            unconfirmed = nil
            return nil
        }
        if let (value, work) = unconfirmed {
            for work in work { await work() }
            return value
        }
        guard let value = try read(standing.result) else {
            throw ServiceError.alreadyExists("The key was used before, for a transaction that stored no value.")
        }
        return value
    }

    private mutating func once(
        _ transaction: Transaction,
        _ body: (Transaction) async throws -> Value,
        _ store: (Value) throws -> JSON?
    ) async throws -> Value {
        let value: Value
        let result: JSON?
        do {
            value = try await transaction.run(body)
            result = try store(value)
            try Task.checkCancellation()
        } catch {
            transaction.end()
            _ = try? await transaction.scope.call(RollBackTransaction(), isCancellable: false)
            // Nothing was committed, whatever the call that failed may have done.
            if var error = error as? ServiceError, error.code == .unavailable || error.code == .deadlineExceeded {
                error.retry = .safe
                throw error
            }
            throw error
        }
        let work = transaction.takeAfterCommit()
        do {
            try await transaction.scope.call(CommitTransaction(result: result), isCancellable: false)
        } catch {
            // The commit may have been carried out: only the key tells.
            if error.retry == .sameKey, key != nil { (unconfirmed, mayBeCommitted) = ((value, work), true) }
            throw error
        }
        for work in work { await work() }
        return value
    }

    /// Waits 5 ms to 1 s, growing and random, so that those who raced do not meet again.
    private mutating func wait(after error: ServiceError) async throws {
        let own = Duration.milliseconds(Int.random(in: Int(pause / 2)...Int(pause)))
        let wait = max(own, .milliseconds(min(error.afterMilliseconds ?? 0, 1_000)))
        pause = min(1_000, pause * 2)
        let canWait = ContinuousClock.now + wait < end
        if canWait { try? await Task.sleep(for: wait) }
        guard canWait, !Task.isCancelled else {
            if unconfirmed != nil {
                throw ServiceError.outcomeUnknown("Whether the transaction was committed could not be learned in time.")
            }
            throw error
        }
    }
}
