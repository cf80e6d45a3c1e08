/// Waits for `operation` no longer than `timeout` and no longer than the caller is alive, even if the operation ignores
/// that it is cancelled: then it is left to itself and what it returns later is dropped.
///
/// A task group would wait for its children, so the operation needs a task of its own. This is one of the two places of
/// this module that start one; the other is ``AgentEvents``. It runs where it may also block: see ``ToolThreads``.
///
/// - Returns: `nil` when the time was up.
/// - Throws: what the operation threw, or `CancellationError`.
func abandoning<Value: Sendable>(
    after timeout: Duration,
    _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value? {
    let (outcomes, outcome) = AsyncStream<Result<Value, any Error>>.makeStream(bufferingPolicy: .bufferingOldest(1))
    let work = Task(executorPreference: ToolThreads.shared) {
        do { outcome.yield(.success(try await operation())) } catch { outcome.yield(.failure(error)) }
    }
    defer { work.cancel() }
    let first = await withTaskGroup(of: Result<Value, any Error>?.self) { group in
        group.addTask { await outcomes.first { _ in true } }
        group.addTask {
            try? await Task.sleep(for: timeout)
            return nil
        }
        let first = await group.next() ?? nil
        group.cancelAll()
        return first
    }
    // Cancelled while the outcome came: the outcome is there, so it is given.
    guard let first else {
        try Task.checkCancellation()
        return nil
    }
    return try first.get()
}
