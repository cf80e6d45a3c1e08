internal import CLinux
internal import Dispatch
internal import Glibc
internal import Synchronization

/// A child that was started the way systemd starts a service: with its listening sockets at 3, 4, …, its own process
/// group, nothing else inherited, and ended by the kernel when this process dies.
///
/// It is reaped whether or not anybody waits for it. Losing the last reference does not end it.
public final class ChildProcess: Sendable {
    /// How a child ended.
    public enum Exit: Sendable, Hashable, CustomStringConvertible {
        /// It returned, or called exit(3).
        case code(Int32)
        /// A signal ended it.
        case signal(Int32)

        /// For a message.
        public var description: String {
            switch self {
            case .code(let code): "exit code \(code)"
            case .signal(let signal):
                "signal \(signal) (\(octavo_signal_text(signal).map { String(cString: $0) } ?? "unknown"))"
            }
        }
    }

    /// The child's process number, for messages; signals go through a descriptor that cannot name another process.
    public let pid: Int32

    private enum State {
        case running(waiting: [Int: CheckedContinuation<Exit, any Error>], next: Int)
        case ended(Exit)
    }

    private let pidfd: Int32
    private let state = Mutex(State.running(waiting: [:], next: 0))

    /// Starts a child; it runs the new program when this returns.
    ///
    /// - Throws: ``ChildProcessError`` that says which step failed, with the errno's text.
    public init(_ launch: Launch) throws(ChildProcessError) {
        let result = try launch.spawn()
        self.pid = result.pid
        self.pidfd = result.pidfd
        // A thread that blocks until the end, for each of a handful of children: not one of the cooperative pool.
        DispatchQueue(label: "octavo.child.\(result.pid)").async { [self] in reap() }
    }

    deinit {
        close(pidfd)
    }

    /// Asks the child to stop (SIGTERM). Nothing happens when it has ended.
    public func terminate() {
        _ = octavo_pidfd_signal(pidfd, SIGTERM)
    }

    /// Ends the child (SIGKILL). Nothing happens when it has ended.
    public func kill() {
        _ = octavo_pidfd_signal(pidfd, SIGKILL)
    }

    /// How the child ended, once it has. Any number of tasks may wait.
    ///
    /// - Throws: `CancellationError` when the waiting task is cancelled; the child goes on.
    public func waitForExit() async throws -> Exit {
        let ticket = state.withLock { state in
            guard case .running(let waiting, let next) = state else { return 0 }
            state = .running(waiting: waiting, next: next + 1)
            return next
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { wait($0, ticket: ticket) }
        } onCancel: {
            forget(ticket)
        }
    }

    private func wait(_ continuation: CheckedContinuation<Exit, any Error>, ticket: Int) {
        let exit: Exit? = state.withLock { state in
            switch state {
            case .ended(let exit): return exit
            case .running(var waiting, let next):
                waiting[ticket] = continuation
                state = .running(waiting: waiting, next: next)
                return nil
            }
        }
        if let exit {
            continuation.resume(returning: exit)
        } else if Task.isCancelled {
            // The handler may have run before the continuation was there; whoever removes it resumes it.
            forget(ticket)
        }
    }

    private func forget(_ ticket: Int) {
        let continuation = state.withLock { state -> CheckedContinuation<Exit, any Error>? in
            guard case .running(var waiting, let next) = state else { return nil }
            let continuation = waiting.removeValue(forKey: ticket)
            state = .running(waiting: waiting, next: next)
            return continuation
        }
        continuation?.resume(throwing: CancellationError())
    }

    private func reap() {
        var how = octavo_exit()
        // It can fail only if somebody else reaped our child; the code is then unknown, and the child is gone.
        let reaped = octavo_pidfd_wait(pidfd, &how) == 0
        let exit: Exit = !reaped ? .code(-1) : how.signalled ? .signal(how.value) : .code(how.value)
        let waiting = state.withLock { state -> [Int: CheckedContinuation<Exit, any Error>] in
            defer { state = .ended(exit) }
            if case .running(let waiting, _) = state { return waiting }
            return [:]
        }
        for continuation in waiting.values { continuation.resume(returning: exit) }
    }
}
