extension PostgresConnection {
    /// Why an exchange stopped before its end.
    enum Stop {
        case deadline
        case cancelled
        case lost(PostgresError)
    }

    /// Sends a batch and collects its results: one round trip, one operation.
    ///
    /// Success is reported only once the sync came back, for a deferred constraint fails there. When the deadline
    /// passes or the task is cancelled, the server is asked to cancel and the caller is answered at once, unless a
    /// commit is in question; then it learns the outcome if that is to be had within the grace.
    func perform(_ batch: Batch, until deadline: Instant) async throws(PostgresError) -> [ResultHandle] {
        try batch.check()
        try checkLimits(until: deadline)
        // Looked at and reserved without an `await` in between, at which another task could come in.
        let isShared = if case .stays = batch.ending { isInsideTransaction } else { false }
        guard !isShared || mayRun(in: Self.savepoints) && !isCommitting, reserve() else {
            guard isShared else { throw Self.carriesAnother }
            return try await performInTurn(batch, until: deadline)
        }
        defer { end() }
        try await settleReserved(until: deadline)
        return try await performReserved(batch, until: deadline)
    }

    func performReserved(_ batch: Batch, until deadline: Instant) async throws(PostgresError) -> [ResultHandle] {
        let number = operation
        let result: Result<[ResultHandle], PostgresError> = await withTaskCancellationHandler {
            // A continuation resumes a task on its preferred executor, by default the global pool: without this, each
            // wait for the socket would go through another thread.
            await withTaskExecutorPreference(reactor) {
                do throws(PostgresError) {
                    return .success(try await runTwiceIfStale(batch, until: deadline))
                } catch {
                    return .failure(error)
                }
            }
        } onCancel: {
            reactor.submit { [weak self] in self?.assumeIsolated { $0.cancel(number) } }
        }
        return try result.get()
    }

    /// A statement prepared earlier is refused when a table has changed since (0A000) or somebody deallocated it
    /// (26000). Outside a transaction block nothing has happened yet, so it can be prepared anew and run once more.
    private func runTwiceIfStale(_ batch: Batch, until deadline: Instant) async throws(PostgresError) -> [ResultHandle]
    {
        let wasInTransaction = handle?.isInTransaction ?? false
        var usedOldPlans = false
        do throws(PostgresError) {
            return try await run(batch, until: deadline, usedOldPlans: &usedOldPlans)
        } catch {
            guard error.isStalePlan, usedOldPlans, let handle else { throw error }
            forgetStatements()
            guard !wasInTransaction, handle.isIdle else { throw error }
            return try await run(batch, until: deadline, usedOldPlans: &usedOldPlans)
        }
    }

    /// What is prepared on the server is deallocated before the next statement outside a transaction block.
    func forgetStatements() {
        statements.removeAll()
        mustDeallocate = true
    }

    private func run(
        _ batch: Batch,
        until deadline: Instant,
        usedOldPlans: inout Bool
    ) async throws(PostgresError) -> [ResultHandle] {
        isGivenUpByFollower = false
        let own = batch.queries.count
        try send(joinedByFollowers(batch))
        usedOldPlans = exchange?.usesOldPlans ?? false
        switch await drive(until: deadline, isCancellable: true) {
        case nil: return try conclude(lost: nil, own: own)
        case .lost(let reason): return try conclude(lost: reason, own: own)
        case .deadline: return try await giveUp(PostgresError(.timedOut, "the deadline passed"))
        case .cancelled: return try await giveUp(PostgresError(.cancelled, "the task was cancelled"))
        }
    }

    // MARK: Sending

    func send(_ batch: Batch) throws(PostgresError) {
        guard let handle else { throw closingReason }
        var exchange = Exchange(batch)
        let isSent = batch.script.map { send(script: $0, on: handle, &exchange) } ?? send(batch, on: handle, &exchange)
        guard isSent else {
            // Nothing is known to have reached the server, and without its sync it does not commit.
            let reason = lossReason(handle)
            close(because: reason)
            throw reason
        }
        self.exchange = exchange
        pendingBegin = nil
        nextCancelRequest = nil
    }

    private func send(script: String, on handle: ConnectionHandle, _ exchange: inout Exchange) -> Bool {
        exchange.expect(.script)
        return handle.exitPipeline() && handle.send(script: script)
    }

    private func send(_ batch: Batch, on handle: ConnectionHandle, _ exchange: inout Exchange) -> Bool {
        var isSent = true
        if mustDeallocate, !handle.isInTransaction {
            mustDeallocate = false
            isSent = handle.send("deallocate all")
            exchange.expect(.statement(isKept: false))
        }
        for opening in openings(of: batch) where isSent {
            isSent = handle.send(opening)
            exchange.expect(.statement(isKept: false))
        }
        if pendingBegin != nil, isTracked, isSent {
            isSent = handle.send(TransactionID.query)
            exchange.expect(.transactionID)
        }
        for query in batch.queries where isSent {
            isSent = send(query, as: plan(query, in: batch), on: handle, &exchange)
            guard batch.isEachAlone, isSent else { continue }
            isSent = handle.sendSync()
            exchange.expect(.sync)
        }
        if batch.isEachAlone { return isSent }
        if case .commit = batch.ending, isSent {
            isSent = handle.send("commit")
            exchange.expect(.commit)
        }
        exchange.expect(.sync)
        return isSent && handle.sendSync()
    }

    /// What goes ahead of the statements: a BEGIN, and savepoints the server does not know of yet.
    private func openings(of batch: Batch) -> [Query] {
        guard let opening = batch.opening ?? pendingBegin else { return pendingSavepoints() }
        let isBegin = pendingBegin != nil || batch.ending == .commit
        return [opening] + (isBegin ? configuration.transactionSettings : []) + pendingSavepoints()
    }

    private func plan(_ query: Query, in batch: Batch) -> StatementCache.Plan {
        // What is prepared belongs to a session, and the next transaction may get another one.
        if configuration.isBehindPgBouncer { return .unprepared }
        return batch.isEachAlone ? statements.planWithoutPreparing(query) : statements.plan(query)
    }

    private func send(
        _ query: Query,
        as plan: StatementCache.Plan,
        on handle: ConnectionHandle,
        _ exchange: inout Exchange
    ) -> Bool {
        defer { exchange.expect(.statement(isKept: true)) }
        switch plan {
        case .prepared(let name):
            exchange.usesOldPlans = true
            return handle.send(execute: name, query.parameters)
        case .prepareFirst(let name):
            exchange.expect(.prepared(query))
            return handle.send(prepare: name, query) && handle.send(execute: name, query.parameters)
        case .unprepared:
            return handle.send(query)
        }
    }

    // MARK: Sending on and receiving

    /// Sends what is queued and takes what comes until the exchange is finished. Reads while it still sends: the server
    /// stops reading when nobody takes its results, and then both would wait for ever. Returns nil at the end.
    func drive(until deadline: Instant, isCancellable: Bool) async -> Stop? {
        while let handle, exchange?.isFinished == false {
            let isUnsent = handle.flush()
            takeResults(from: handle)
            collectNotifications(handle)
            if exchange?.isFinished == true { break }
            if isUnsent == nil || handle.isBroken { return .lost(lossReason(handle)) }
            if isCancellable, isCancelled { return .cancelled }
            let interest: Interest = isUnsent == true ? [.read, .write] : .read
            let again = nextCancelRequest?.time
            switch await reactor.wait(handle.socket, for: interest, until: min(deadline, again ?? deadline)) {
            // What came before the connection broke is still to be taken: often the server said why.
            case .ready(let ready) where ready.contains(.read):
                if !handle.consumeInput() { takeResults(from: handle) }
            case .ready, .interrupted: break
            case .deadlinePassed where again.map { $0 < deadline } == true: requestCancel()
            case .deadlinePassed: return .deadline
            case .failed: return .lost(lossReason(handle))
            }
        }
        return handle == nil ? .lost(closingReason) : nil
    }

    private func takeResults(from handle: ConnectionHandle) {
        while exchange?.isFinished == false, !handle.isBusy {
            exchange?.take(handle.nextResult())
        }
    }

    /// Takes the rest of an exchange whose outcome nobody waits for any more.
    func takeRemainder(until limit: Instant) async throws(PostgresError) {
        switch await drive(until: limit, isCancellable: false) {
        case nil: break
        case .lost(let reason): throw reason
        case .deadline, .cancelled: throw PostgresError(.timedOut, "the server did not answer in time")
        }
        guard exchange != nil else { return }
        // Whether that statement worked was the business of its caller, who is gone; only a lost connection matters.
        do throws(PostgresError) { _ = try conclude(lost: nil) } catch { guard handle != nil else { throw error } }
    }

    // MARK: Concluding

    /// The outcome of an exchange that is over, because it is finished or the connection is lost.
    ///
    /// - Parameter own: How many of the statements are the caller's, if others joined.
    private func conclude(lost reason: PostgresError?, own: Int? = nil) throws(PostgresError) -> [ResultHandle] {
        let isShared = !followers.isEmpty || isGivenUpByFollower
        let (exchange, loss) = try endExchange(lost: reason)
        answerFollowers(exchange, loss: loss)
        if isShared, let own {
            do throws(PostgresError) {
                return try exchange.results(of: 0..<own, loss: loss).get()
            } catch {
                throw isGivenUpByFollower && error.sqlState == .queryCanceled ? .inFailedTransaction : error
            }
        }
        guard let loss else {
            if let error = exchange.error { throw error }
            return exchange.results
        }
        if exchange.mayHaveCommitted {
            var error = PostgresError(.outcomeUnknown, "the connection was lost during the commit", server: loss.server)
            error.transaction = transactionID
            throw error
        }
        throw exchange.error ?? loss
    }

    /// Takes away the exchange that is over. Tells why the connection is closed, if that decides the outcome.
    func endExchange(lost reason: PostgresError?) throws(PostgresError) -> (exchange: Exchange, loss: PostgresError?) {
        guard let exchange else { throw reason ?? closingReason }
        self.exchange = nil
        transactionID = exchange.transactionID ?? transactionID
        exchange.unprepared.forEach { statements.remove($0) }
        let isOver = reason == nil && !exchange.isDerailed && restorePipeline(after: exchange)
        if isOver, handle?.isBroken == false { return (exchange, nil) }
        let loss = reason ?? handle.map { lossReason($0) } ?? closingReason
        close(because: loss)
        // Perhaps every answer came, and only then the connection broke.
        return (exchange, isOver && exchange.error == nil ? nil : loss)
    }

    private func restorePipeline(after exchange: Exchange) -> Bool {
        guard exchange.isScript, let handle, !handle.isBroken else { return true }
        return handle.enterPipeline()
    }

    /// Asks the server to cancel and answers the caller. The rest of the exchange is taken when the connection settles.
    private func giveUp(_ error: PostgresError) async throws(PostgresError) -> [ResultHandle] {
        requestCancel()
        // Their statements are cancelled with it.
        failFollowers(.inFailedTransaction, alsoWaiting: false)
        guard exchange?.mayHaveCommitted == true else { throw error }
        switch await drive(until: .now + configuration.grace, isCancellable: false) {
        case nil: break
        case .lost(let reason): return try conclude(lost: reason)
        case .deadline, .cancelled:
            var error = PostgresError(.outcomeUnknown, "the server did not say in time whether it committed")
            error.transaction = transactionID
            throw error
        }
        do throws(PostgresError) {
            return try conclude(lost: nil)
        } catch {
            guard error.sqlState == .queryCanceled else { throw error }
            throw PostgresError(
                isCancelled ? .cancelled : .timedOut,
                "the statement was cancelled",
                server: error.server
            )
        }
    }
}
