public import Contract
internal import FoundationEssentials
public import Wire

extension RPCClient {
    /// Carries out operations that are known beforehand as one transaction: one frame, one round trip to Postgres. All of
    /// them, or none.
    ///
    ///     let (title, name, entry) = try await storage.batch(
    ///         SetBookTitle(book, to: newTitle), SetReaderName(reader, to: newName), AddToReadingList(reader: reader, book: book))
    ///
    /// With an idempotency key it is carried out once, however often it is asked for; lost answers are asked for again
    /// until the deadline. Without one, a lost answer is `outcome_unknown` or `unavailable` with retry `same_key`.
    /// - Returns: the results, in the order of the operations.
    /// - Throws: `ServiceError`; where it is about one of the operations, `details.operation` is its place.
    public func batch<each O: Operation>(
        _ operations: repeat each O,
        idempotencyKey: String? = nil,
        deadline: Duration = .seconds(30),
        traceparent: TraceParent? = nil
    ) async throws -> (repeat (each O).Result) {
        var batched: [BatchedOperation] = []
        for operation in repeat each operations { batched.append(BatchedOperation(operation)) }
        let answers = try await batch(
            batched,
            idempotencyKey: idempotencyKey,
            deadline: deadline,
            traceparent: traceparent
        )
        var next = answers.makeIterator()
        func result<One: Operation>(of operation: One) throws(ServiceError) -> One.Result {
            // As many as there are operations.
            try decodeAnswer(next.next() ?? .null, of: One.name)
        }
        return (repeat try result(of: each operations))
    }

    /// As above, where only the run shows which operations there are.
    ///
    ///     var operations: [BatchedOperation] = []
    ///     if let title { operations.append(BatchedOperation(SetBookTitle(book, to: title))) }
    ///     if let name { operations.append(BatchedOperation(SetReaderName(reader, to: name))) }
    ///     let answers = try await storage.batch(operations)
    ///
    /// - Returns: the answers as they came, in the order of the operations.
    /// - Throws: as above.
    public func batch(
        _ operations: [BatchedOperation],
        idempotencyKey: String? = nil,
        deadline: Duration = .seconds(30),
        traceparent: TraceParent? = nil
    ) async throws -> [JSON] {
        let answer = try await run(
            RunBatch(try operations.map { operation throws(ServiceError) in try operation.entry() }),
            idempotencyKey: idempotencyKey,
            until: .now + deadline,
            traceparent: traceparent
        )
        guard let results = answer.member("results")?.elements, results.count == operations.count else {
            throw ServiceError.internal("The answer of \(RunBatch.name) is not what the contract says.")
        }
        return results
    }

    private func run(
        _ batch: RunBatch,
        idempotencyKey: String?,
        until end: ContinuousClock.Instant,
        traceparent: TraceParent?
    ) async throws -> JSON {
        var patience = Patience(ContinuousClock.now.duration(to: end))
        while true {
            do {
                return try await json(
                    batch,
                    deadline: ContinuousClock.now.duration(to: end),
                    idempotencyKey: idempotencyKey,
                    traceparent: traceparent
                )
            } catch {
                // Only the key makes it safe to ask again.
                guard idempotencyKey != nil, error.retry == .sameKey else { throw error }
                try await patience.wait(after: error)
            }
        }
    }
}
