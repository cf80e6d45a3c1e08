public import NIOCore
internal import Synchronization

/// Runs tasks on an event loop, so that between the socket and the work there is no change of thread.
///
/// Only for work that is brief between its waits: it holds up all sockets of the loop.
public final class EventLoopExecutor: TaskExecutor {
    private let loop: any EventLoop
    private let jobs = Mutex<[UnownedJob]>([])

    /// An executor on this loop.
    public init(_ loop: any EventLoop) {
        self.loop = loop
    }

    /// Runs the job in a turn of the loop, with all that came meanwhile; at the end of the current one when it is called there.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isFirst = jobs.withLock { jobs in
            jobs.append(job)
            return jobs.count == 1
        }
        if isFirst { loop.execute { self.run() } }
    }

    private func run() {
        let ready = jobs.withLock { jobs in
            defer { jobs = [] }
            return jobs
        }
        for job in ready { job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
}
