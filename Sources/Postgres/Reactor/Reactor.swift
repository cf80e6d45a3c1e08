import CLinux
import Glibc
import Synchronization

/// One thread that waits for sockets and runs what became possible: an epoll set, an eventfd and a queue of jobs.
///
/// It is the executor of every `PostgresConnection`, so the whole protocol runs on one thread without a lock and a
/// query costs no hop between a socket's thread and a connection's. A task with work for many connections may run here
/// too (`Task(executorPreference: Reactor.shared)`) and then wakes no other thread. Whatever runs here must not
/// block and must not compute for long: every connection of the process waits meanwhile.
///
/// A reactor lives as long as its process.
public final class Reactor: SerialExecutor, TaskExecutor, @unchecked Sendable {
    // Unchecked, because `waits`, `deadlines`, `timers` and `local` belong to the reactor's thread alone, which the
    // language cannot express; each function that touches them checks that it runs there.

    /// The reactor of the process, started at its first use.
    public static let shared = Reactor()

    let epoll: Int32
    private let wakeup: Int32
    private let inbox = Mutex(Inbox())
    private let thread = Atomic<UInt>(0)

    var waits: [Int32: Wait] = [:]
    var deadlines = DeadlineHeap<DeadlineKey>()
    var timers: [UInt64: @Sendable () -> Void] = [:]
    private var local: [Work] = []

    /// Starts the thread. A process without two descriptors and a thread to spare cannot serve anyone, so that is fatal.
    init() {
        epoll = octavo_epoll_open()
        precondition(epoll >= 0, "the reactor needs an epoll instance: errno \(errno)")
        wakeup = octavo_wakeup_open(epoll)
        precondition(wakeup >= 0, "the reactor needs an eventfd: errno \(errno)")
        let isStarted = startThread(named: "postgres") { self.run() }
        precondition(isStarted, "the reactor needs a thread: errno \(errno)")
    }

    /// Whether the calling thread is the reactor's.
    var isCurrent: Bool { thread.load(ordering: .relaxed) == UInt(pthread_self()) }

    // MARK: Executor

    /// Queues a job of an actor or task that runs here.
    public func enqueue(_ job: consuming ExecutorJob) {
        add(.job(UnownedJob(job)))
    }

    /// Stops the process when the calling code does not run on the reactor; this is what makes `assumeIsolated` work in
    /// the callbacks of sockets and timers, which run on the thread but outside any job.
    public func checkIsolated() {
        precondition(isCurrent, "not on the reactor's thread")
    }

    /// Whether the calling code runs on the reactor.
    public func isIsolatingCurrentContext() -> Bool? { isCurrent }

    /// Runs `call` on the reactor's thread, soon; never before this returns when called from elsewhere.
    func submit(_ call: @escaping @Sendable () -> Void) {
        add(.call(call))
    }

    /// Returns once the thread has come round to it: for a watchdog, since a thread that is stuck never does.
    public func respond() async {
        await withCheckedContinuation { continuation in submit { continuation.resume() } }
    }

    private func add(_ work: Work) {
        if isCurrent {
            local.append(work)
            return
        }
        let wasSleeping = inbox.withLock { inbox in
            inbox.work.append(work)
            defer { inbox.isSleeping = false }
            return inbox.isSleeping
        }
        if wasSleeping { octavo_wakeup_signal(wakeup) }
    }

    // MARK: Loop

    private func run() {
        thread.store(UInt(pthread_self()), ordering: .relaxed)
        var events = [octavo_event](repeating: octavo_event(), count: 64)
        while true {
            runWork()
            let timeout = sleepTime()
            let count = octavo_epoll_wait(epoll, &events, Int32(events.count), timeout)
            if timeout != 0 { inbox.withLock { $0.isSleeping = false } }
            for event in events.prefix(Int(count)) {
                if event.descriptor == wakeup {
                    octavo_wakeup_clear(wakeup)
                } else {
                    finish(event.descriptor, .ready(Interest(rawValue: event.ready)))
                }
            }
            expire()
        }
    }

    /// Runs what is queued, and what that queues in turn, for it is mostly the same operation going on; but only a few
    /// rounds, then the sockets are looked at.
    private func runWork() {
        var batch: [Work] = []
        for _ in 0..<8 {
            swap(&batch, &local)
            inbox.withLock { inbox in
                batch.append(contentsOf: inbox.work)
                inbox.work.removeAll(keepingCapacity: true)
            }
            guard !batch.isEmpty else { return }
            for work in batch { run(work) }
            batch.removeAll(keepingCapacity: true)
        }
    }

    private func run(_ work: Work) {
        switch work {
        case .call(let call): call()
        case .job(let job):
            job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
        }
    }

    /// How long epoll may sleep, in milliseconds. `isSleeping` is set under the same lock that guards the queue, so work
    /// that is added afterwards sees it and signals, and work added before keeps us awake.
    private func sleepTime() -> Int32 {
        let isIdle = inbox.withLock { inbox in
            inbox.isSleeping = local.isEmpty && inbox.work.isEmpty
            return inbox.isSleeping
        }
        guard isIdle else { return 0 }
        guard let earliest = deadlines.earliest else { return -1 }
        let left = ContinuousClock.now.duration(to: earliest)
        guard left > .zero else { return 0 }
        // Rounded up: waking a fraction of a millisecond early would spin until the deadline.
        return Int32(min(left / .milliseconds(1) + 1, 3_600_000))
    }

    private enum Work {
        case job(UnownedJob)
        case call(@Sendable () -> Void)
    }

    private struct Inbox {
        var work: [Work] = []
        var isSleeping = false
    }
}
