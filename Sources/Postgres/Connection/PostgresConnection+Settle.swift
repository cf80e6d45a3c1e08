import Synchronization

extension PostgresConnection {
    /// How many helper threads may wait for a postmaster that does not answer. Without a cancel request a given-up
    /// statement ends by `statement_timeout`, or with its connection.
    private static let cancelRequestLimit = 8
    private static let cancelRequests = Atomic<Int>(0)

    /// Brings the connection back to where the next operation can start: takes what the server still sends to an
    /// operation that was given up, and rolls back what is open. Closes it when that takes longer than `settleLimit`. Returns
    /// whether it can be used. Goes on when the task is cancelled.
    @discardableResult
    public func settle() async -> Bool {
        guard reserve() else { return false }
        pendingBegin = nil
        needsRollback = true
        await finishSettling(until: .now + configuration.settleLimit)
        end()
        return handle != nil
    }

    /// The work of settling, for an operation that has reserved the connection.
    func finishSettling(until limit: Instant) async {
        await withTaskExecutorPreference(reactor) {
            do throws(PostgresError) {
                try await takeRemainder(until: limit)
                try await awaitCancelRequest(until: limit)
                try await rollBackIfNeeded(until: limit)
            } catch {
                close(because: PostgresError(.connectionLost, "the connection did not settle: \(error.reason)"))
            }
        }
    }

    private func rollBackIfNeeded(until limit: Instant) async throws(PostgresError) {
        guard needsRollback, let handle else { return }
        needsRollback = false
        guard !handle.isIdle else { return }
        try send(Batch(opening: "rollback", queries: [], ending: .stays))
        try await takeRemainder(until: limit)
        guard self.handle?.isIdle == true else {
            throw PostgresError(.protocolViolation, "a rollback left a transaction")
        }
    }

    // MARK: Cancelling

    /// Called on the reactor when the task of an operation was cancelled.
    func cancel(_ number: UInt64) {
        guard isBusy, number == operation, let handle else { return }
        isCancelled = true
        reactor.interrupt(handle.socket)
    }

    /// Asks the server to cancel the present statement, on a thread of its own: `PQcancel` connects, asks and waits for
    /// the postmaster to close, 3 ms normally and for ever when the postmaster is stopped.
    ///
    /// A request that overtakes its statement finds the backend idle, and is ignored. So it is repeated, ever more slowly, for as
    /// long as the exchange goes on.
    func requestCancel() {
        let pause = min(nextCancelRequest.map { $0.pause * 2 } ?? .milliseconds(50), .seconds(1))
        nextCancelRequest = (.now + pause, pause)
        guard !isCancelRequestUnderWay, let request = handle?.cancelRequest() else { return }
        guard Self.cancelRequests.add(1, ordering: .relaxed).newValue <= Self.cancelRequestLimit else {
            Self.cancelRequests.subtract(1, ordering: .relaxed)
            return
        }
        let isStarted = startThread(named: "postgres-cancel") { [weak self, reactor] in
            request.send()
            Self.cancelRequests.subtract(1, ordering: .relaxed)
            reactor.submit { [weak self] in self?.assumeIsolated { $0.cancelRequestEnded() } }
        }
        isCancelRequestUnderWay = isStarted
        if !isStarted { Self.cancelRequests.subtract(1, ordering: .relaxed) }
    }

    private func cancelRequestEnded() {
        isCancelRequestUnderWay = false
        guard let handle else { return }
        if isBusy { reactor.interrupt(handle.socket) } else { end() }
    }

    /// The server may carry out a cancel request until its sender is done, so the next statement must wait for that: it
    /// would be hit in place of the one that was meant.
    private func awaitCancelRequest(until limit: Instant) async throws(PostgresError) {
        while isCancelRequestUnderWay, let handle {
            switch await reactor.wait(handle.socket, for: .read, until: limit) {
            case .ready: guard handle.consumeInput(), !handle.isBroken else { throw lossReason(handle) }
            case .interrupted: break
            case .deadlinePassed: throw PostgresError(.timedOut, "the cancel request was not answered in time")
            case .failed: throw lossReason(handle)
            }
        }
        guard handle != nil else { throw closingReason }
    }
}
