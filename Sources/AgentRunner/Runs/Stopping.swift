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

    /// Throws the reason as soon as there is one; returns when the task is cancelled. For one task.
    func watch() async throws(Reason) {
        if let reason = await reasons.first(where: { _ in true }) { throw reason }
    }
}
