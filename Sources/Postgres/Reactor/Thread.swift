import CLinux

/// Starts a detached thread with all signals blocked, so that the process's handlers run where they always did.
///
/// False when no thread can be made. The name shows in `ps -L` and in a debugger (15 bytes at most).
func startThread(named name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
    let box = Unmanaged.passRetained(ThreadBody(body))
    let error = octavo_start_thread(
        name,
        { argument in
            // The argument is the box retained above.
            if let argument { Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run() }
        },
        box.toOpaque()
    )
    if error != 0 { box.release() }
    return error == 0
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) {
        self.run = run
    }
}
