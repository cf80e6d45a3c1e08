extension PostgresConnection {
    /// A statement of a transaction that waits until the exchange under way is over, or has become part of the next
    /// one, which another task drives.
    struct Follower {
        /// Also that of its timer.
        let id: UInt64
        let batch: Batch
        /// The savepoints its task runs in.
        let savepoints: [UInt64]
        let continuation: CheckedContinuation<Turn, Never>
    }

    enum Turn {
        /// Another task has sent the statement and brings its answer.
        case answered(Result<[ResultHandle], PostgresError>)
        /// The connection is reserved, and this task sends.
        case leads
    }

    static let transactionEnded = PostgresError(.busy, "the transaction ended before the statement")

    /// How many statements may wait for one connection: the same as one batch carries.
    static let followerLimit = Batch.maximumQueries

    /// Whether a statement of this task may be sent now: not while another task has a savepoint open, with which it
    /// could be undone.
    func mayRun(in savepoints: [UInt64]) -> Bool {
        openSavepoints.last.map { savepoints.contains($0.id) } ?? true
    }

    /// Waits for the exchange under way. What waits goes out together, in its order; the task whose statement is the
    /// first of them sends all and brings the others their answers.
    func performInTurn(_ batch: Batch, until deadline: Instant) async throws(PostgresError) -> [ResultHandle] {
        switch await awaitTurn(batch, until: deadline) {
        case .answered(let result): return try result.get()
        case .leads:
            defer { end() }
            try checkLimits(until: deadline)
            try await settleReserved(until: deadline)
            return try await performReserved(batch, until: deadline)
        }
    }

    /// Waits for the turn; nothing interrupts that if there is no deadline.
    func awaitTurn(_ batch: Batch, until deadline: Instant?) async -> Turn {
        let id = Reactor.newTimer()
        guard let deadline else { return await enqueue(id, batch) }
        return await withTaskCancellationHandler {
            reactor.schedule(id, at: deadline) { [weak self] in
                self?.assumeIsolated { $0.leave(id, PostgresError(.timedOut, "the deadline passed")) }
            }
            return await enqueue(id, batch)
        } onCancel: {
            reactor.submit { [weak self] in
                self?.assumeIsolated { $0.leave(id, PostgresError(.cancelled, "the task was cancelled")) }
            }
        }
    }

    private func enqueue(_ id: UInt64, _ batch: Batch) async -> Turn {
        await withCheckedContinuation { continuation in
            if let refusal = refusalOfTurn {
                continuation.resume(returning: .answered(.failure(refusal)))
                return reactor.unschedule(id)
            }
            waiting.append(
                Follower(id: id, batch: batch, savepoints: Self.savepoints, continuation: continuation)
            )
            // Between asking for a turn and waiting for it the connection may have become free.
            if !isBusy { passTurn() }
        }
    }

    private var refusalOfTurn: PostgresError? {
        if handle == nil { return closingReason }
        if !isInsideTransaction || isCommitting { return Self.transactionEnded }
        guard waiting.count < Self.followerLimit else {
            return PostgresError(.exhausted, "more than \(Self.followerLimit) statements wait for a connection")
        }
        return nil
    }

    /// Reserves the free connection for the first who may run. False when there is none.
    @discardableResult
    func passTurn() -> Bool {
        guard let index = waiting.firstIndex(where: { mayRun(in: $0.savepoints) }), reserve() else { return false }
        let next = waiting.remove(at: index)
        reactor.unschedule(next.id)
        next.continuation.resume(returning: .leads)
        return true
    }

    /// Takes those who wait and can go out with `batch`, and gives all of it as one.
    func joinedByFollowers(_ batch: Batch) -> Batch {
        guard isInsideTransaction, batch.script == nil, case .stays = batch.ending else { return batch }
        var all = batch
        var bytes = batch.byteCount
        for follower in waiting where follower.batch.script == nil && !follower.batch.queries.isEmpty {
            guard mayRun(in: follower.savepoints) else { continue }
            bytes += follower.batch.byteCount
            guard all.queries.count + follower.batch.queries.count <= Batch.maximumQueries,
                bytes <= Parameters.maximumBytes
            else { break }
            let start = all.queries.count
            all.queries += follower.batch.queries
            followers.append((follower, start..<all.queries.count))
        }
        waiting.removeAll { one in followers.contains { $0.follower.id == one.id } }
        return all
    }

    // MARK: Answering

    /// Tells those who followed what became of their statements.
    func answerFollowers(_ exchange: Exchange, loss: PostgresError?) {
        for (follower, part) in followers {
            answer(follower, exchange.results(of: part, loss: loss))
        }
        followers.removeAll()
    }

    /// Tells everybody that it did not work: those whose statements were sent, and if need be those who wait too.
    func failFollowers(_ error: PostgresError, alsoWaiting: Bool) {
        for (follower, _) in followers { answer(follower, .failure(error)) }
        followers.removeAll()
        guard alsoWaiting else { return }
        for follower in waiting { answer(follower, .failure(error)) }
        waiting.removeAll()
    }

    private func answer(_ follower: Follower, _ result: Result<[ResultHandle], PostgresError>) {
        reactor.unschedule(follower.id)
        follower.continuation.resume(returning: .answered(result))
    }

    /// A task that waits or follows gives up. Once its statement was sent the server is asked to cancel, and with it
    /// fails the transaction, or what was done since the savepoint.
    private func leave(_ id: UInt64, _ error: PostgresError) {
        if let index = waiting.firstIndex(where: { $0.id == id }) {
            answer(waiting.remove(at: index), .failure(error))
        } else if let index = followers.firstIndex(where: { $0.follower.id == id }) {
            answer(followers.remove(at: index).follower, .failure(error))
            isGivenUpByFollower = true
            requestCancel()
        }
    }
}

extension Exchange {
    /// What became of some of the statements, for the one who asked for them.
    func results(of part: Range<Int>, loss: PostgresError?) -> Result<[ResultHandle], PostgresError> {
        var results: [ResultHandle] = []
        for index in part {
            guard index < outcomes.count else {
                return .failure(loss ?? error ?? PostgresError(.protocolViolation, "the server gave no result"))
            }
            switch outcomes[index] {
            case .done(let result): results.append(result)
            case .failed(let error): return .failure(error)
            // When no statement failed it was what was sent before them: the BEGIN.
            case .aborted: return .failure(hasFailedStatement ? .inFailedTransaction : error ?? .inFailedTransaction)
            }
        }
        return .success(results)
    }

    private var hasFailedStatement: Bool {
        outcomes.contains { outcome in
            if case .failed = outcome { true } else { false }
        }
    }
}
