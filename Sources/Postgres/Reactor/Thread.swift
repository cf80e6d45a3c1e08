import CLinux
import Glibc

/// Starts a detached thread with all signals blocked, so that the process's handlers run where they always did.
///
/// False when no thread can be made. The name shows in `ps -L` and in a debugger (15 bytes at most).
func startThread(named name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
    let box = Unmanaged.passRetained(ThreadBody(name: name, body: body))
    var all = sigset_t()
    var before = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    var thread = pthread_t()
    let error = pthread_create(
        &thread,
        nil,
        { argument in
            // The argument is the box retained above.
            guard let argument else { return nil }
            let start = Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue()
            octavo_name_thread(start.name)
            start.body()
            return nil
        },
        box.toOpaque()
    )
    guard error == 0 else {
        box.release()
        return false
    }
    pthread_detach(thread)
    return true
}

private final class ThreadBody: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}
