extension PostgresConnection {
    /// A savepoint that a `withSavepoint` opened.
    struct Savepoint {
        let id: UInt64
        /// Whether the server knows of it; before, it travels with the next statement.
        var isSent = false
    }

    /// The savepoints of all connections that the current task runs in.
    @TaskLocal static var savepoints: [UInt64] = []

    /// Runs `body` inside the transaction of a `withTransaction`, so that it can fail alone: when it throws, what was
    /// done since is undone and the transaction goes on. Nests to any depth.
    ///
    /// SAVEPOINT travels with the first statement. While `body` runs, statements of tasks outside it wait: they would be
    /// undone with it. So it must not wait for such a task.
    ///
    /// - Throws: What `body` throws, or a `PostgresError`: `sqlState(.inFailedTransaction)` when `body` swallowed the error
    ///   of a statement, `busy` outside of a `withTransaction`.
    @discardableResult
    public nonisolated func withSavepoint<Value>(
        _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        let id = try await openSavepoint()
        return try await Self.$savepoints.withValue(Self.savepoints + [id]) {
            do {
                let value = try await body(self)
                try await releaseSavepoint(id)
                return value
            } catch {
                await rollBack(to: id)
                throw error
            }
        }
    }

    private func openSavepoint() async throws(PostgresError) -> UInt64 {
        guard isInsideTransaction else {
            throw PostgresError(.busy, "a savepoint needs a transaction around it: withTransaction")
        }
        let id = Reactor.newTimer()
        // Neither while another task has one open, nor while one is about to send: its statement would become part of
        // this savepoint.
        if isBusy || !mayRun(in: Self.savepoints) {
            // An empty batch is joined to no other.
            let nothing = Batch(queries: [], ending: .stays)
            if case .answered(let result) = await awaitTurn(nothing, until: limit(nil)) { _ = try result.get() }
            openSavepoints.append(Savepoint(id: id))
            end()
        } else {
            openSavepoints.append(Savepoint(id: id))
        }
        return id
    }

    /// The statements that open what the server does not know of yet. From now on it does.
    func pendingSavepoints() -> [Query] {
        var statements: [Query] = []
        for index in openSavepoints.indices where !openSavepoints[index].isSent {
            openSavepoints[index].isSent = true
            statements.append(Query(unsafe: "savepoint \(Self.name(depth: index))"))
        }
        return statements
    }

    private func releaseSavepoint(_ id: UInt64) async throws(PostgresError) {
        guard let depth = openSavepoints.firstIndex(where: { $0.id == id }) else { throw closingReason }
        if openSavepoints[depth].isSent {
            let release = Query(unsafe: "release savepoint \(Self.name(depth: depth))")
            _ = try await perform(Batch(queries: [release], ending: .stays), until: limit(nil))
        }
        closeSavepoint(depth)
    }

    /// Undoes what was done since, whether or not the task is cancelled: what follows in the transaction relies on it.
    /// Closes the connection when the server does not do it in time.
    private func rollBack(to id: UInt64) async {
        guard let depth = openSavepoints.firstIndex(where: { $0.id == id }) else { return }
        guard openSavepoints[depth].isSent else { return closeSavepoint(depth) }
        if !reserve() {
            guard case .leads = await awaitTurn(Batch(queries: [], ending: .stays), until: nil) else { return }
        }
        defer { end() }
        let name = Self.name(depth: depth)
        let batch = Batch(
            queries: [Query(unsafe: "rollback to savepoint \(name)"), Query(unsafe: "release savepoint \(name)")],
            ending: .stays
        )
        let limit = Instant.now + configuration.settleLimit
        await finishSettling(until: limit)
        await finish(batch, until: limit)
        // Only now: `end` lets the others go on.
        openSavepoints.removeSubrange(min(depth, openSavepoints.count)...)
    }

    /// Carries out what must not fail, for an operation that has reserved the connection.
    private func finish(_ batch: Batch, until limit: Instant) async {
        await withTaskExecutorPreference(reactor) {
            do throws(PostgresError) {
                try send(batch)
                if case .lost(let reason) = await drive(until: limit, isCancellable: false) { throw reason }
                guard exchange?.isFinished == true else {
                    throw PostgresError(.timedOut, "the server did not answer in time")
                }
                let (exchange, loss) = try endExchange(lost: nil)
                if let error = loss ?? exchange.error { throw error }
            } catch {
                close(because: PostgresError(.connectionLost, "a savepoint could not be rolled back: \(error.reason)"))
            }
        }
    }

    private func closeSavepoint(_ depth: Int) {
        openSavepoints.removeSubrange(depth...)
        if !isBusy, handle != nil { passTurn() }
    }

    /// One name a depth, so that the text of the statements stays the same.
    private static func name(depth: Int) -> String { "octavo_\(depth + 1)" }
}
