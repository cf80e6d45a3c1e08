import NIOPosix

/// Threads for the functions of tools.
///
/// Whoever writes a tool may block: read a file, call a C library, wait for a lock. On the threads that Swift's tasks share,
/// of which there are as many as cores, a few of those would hold up everything in the process, and the very task that
/// sees that their time is up. Here they hold up other tools at most.
final class ToolThreads: TaskExecutor {
    static let shared = ToolThreads()

    /// As many calls may block at once. A thread that waits takes some kilobytes.
    private static let count = 64
    private let pool = NIOThreadPool(numberOfThreads: count)

    private init() {
        pool.start()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        pool.submit { _ in job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
