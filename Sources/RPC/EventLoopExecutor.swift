public import NIOCore

/// Runs tasks on an event loop, so that between the socket and the work there is no change of thread.
///
/// Only for work that is brief between its waits: it holds up all sockets of the loop.
public final class EventLoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    /// An executor on this loop.
    public init(_ loop: any EventLoop) {
        self.loop = loop
    }

    /// Runs the job in a turn of the loop; at the end of the current one when it is called there.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
