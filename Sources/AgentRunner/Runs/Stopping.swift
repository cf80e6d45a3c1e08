/// The way to stop a run's work from outside of it.
struct Stopping: Sendable {
    /// Why it is stopped.
    enum Reason: Error {
        /// The lease is gone: the run was cancelled, or goes on elsewhere. There is nothing left to say.
        case lost
        /// The process is being stopped: the lease is given back.
        case drained
    }

    private let reasons: AsyncStream<Reason>
    private let reason: AsyncStream<Reason>.Continuation

    init() {
        (reasons, reason) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1))
    }

    /// Stops the work, now or as soon as it begins. The first reason counts.
    func stop(_ why: Reason) {
        reason.yield(why)
    }

    /// Does work until it is done, or stopped. It is done once.
    func whileNotStopped<Value: Sendable>(
        _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await work() }
            group.addTask { [reasons] in
                throw await reasons.first { _ in true } ?? CancellationError()
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw CancellationError() }
            return value
        }
    }
}
