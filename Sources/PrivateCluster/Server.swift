import CLinux
import Dispatch
import Glibc
import Synchronization

/// A server that was started, and the pipe to its watchdog.
final class Server: Sendable {
    /// Started by a shell that becomes the server, so that the process id is the server's. Before, it leaves a watchdog
    /// behind which reads from the pipe: a line tells it that it is no longer needed, and the end of the pipe means that
    /// the process which started the server is gone, however that happened. Then it stops the server and removes what
    /// is temporary.
    ///
    /// The first line of the lock file tells whether the server is still there: its process id may stay for a while as a
    /// zombie, and the file may be that of a server started since. A stopped server gets SIGCONT, without which it would
    /// not hear of the rest.
    static let watchdog = """
        postgres=$1 data=$2 log=$3 temporary=$4; shift 4
        exec >>"$log" 2>&1
        (
            trap '' INT TERM HUP
            read -r line <&3 && exit
            is_there() { { read -r pid <"$data/postmaster.pid"; } 2>/dev/null && [ "$pid" = $$ ]; }
            stop=INT; [ -z "$temporary" ] || stop=QUIT
            kill -$stop $$; kill -CONT $$
            tries=0
            while is_there && [ $tries -lt 300 ]; do sleep 0.05; tries=$((tries + 1)); done
            is_there && kill -KILL $$
            [ -z "$temporary" ] || rm -rf "$temporary"
        ) &
        exec 3<&-
        exec "$postgres" -D "$data" "$@"
        """

    private struct State {
        var exit: String?
        var waiting: [AsyncStream<Void>.Continuation] = []
    }

    let processID: pid_t
    private let pipe: Mutex<Int32>
    private let state = Mutex(State())

    /// Starts it. Throws `failed` when not even the shell can be started.
    init(_ arguments: [String], as account: Account) throws(PrivateClusterError) {
        let (read, write) = try makeChannel()
        defer { close(read) }
        let child: Child
        do throws(PrivateClusterError) {
            child = try spawn(arguments, as: account, passing: [read], output: nil)
        } catch {
            close(write)
            throw error
        }
        processID = child.pid
        pipe = Mutex(write)
        watch(child.pidfd)
    }

    /// How it ended; nil while it runs. Collects its status.
    var exit: String? {
        let (exit, waiting) = state.withLock { state in
            var status: Int32 = 0
            guard state.exit == nil, waitpid(processID, &status, WNOHANG) != 0 else {
                return (state.exit, state.waiting)
            }
            state.exit = describe(status)
            return (state.exit, state.waiting)
        }
        if exit != nil { for one in waiting { one.finish() } }
        return exit
    }

    /// Returns how it ended once it has, or nil when the task was cancelled.
    func waitForEnd() async -> String? {
        let (end, continuation) = AsyncStream<Void>.makeStream()
        state.withLock { state in
            if state.exit == nil { state.waiting.append(continuation) } else { continuation.finish() }
        }
        for await _ in end {}
        return exit
    }

    /// Stops it, breaking off its sessions, and waits for the end. A cancelled task is in a hurry: then it goes without
    /// the last checkpoint, and the next start replays the log.
    func stop() async {
        for (signal, patience) in [(SIGINT, 15), (SIGQUIT, 5), (SIGKILL, 5)] {
            send(signal)
            // A stopped process would hear of nothing but SIGKILL.
            send(SIGCONT)
            let end = ContinuousClock.now + .seconds(patience)
            while exit == nil, ContinuousClock.now < end, signal != SIGINT || !Task.isCancelled { await pause() }
            if exit != nil { break }
        }
        dismissWatchdog()
    }

    /// Tells the watchdog that there is nothing left to watch: its process id may soon be somebody else's.
    func dismissWatchdog() {
        // The watchdog itself may have been killed; MSG_NOSIGNAL, since that must not end this process too.
        pipe.withLock { if $0 >= 0 { _ = Glibc.send($0, "gone\n", 5, Int32(MSG_NOSIGNAL)) } }
        letGo()
    }

    /// Closes the pipe. A watchdog that was not dismissed ends what still runs.
    func letGo() {
        pipe.withLock { descriptor in
            if descriptor >= 0 { close(descriptor) }
            descriptor = -1
        }
    }

    /// Only while its status was not collected: until then its process id is its own.
    private func send(_ signal: Int32) {
        state.withLock { if $0.exit == nil { _ = kill(processID, signal) } }
    }

    /// Collects the status as soon as there is one, whether or not anybody asks. The descriptor is closed at the end.
    private func watch(_ pidfd: Int32) {
        let source = DispatchSource.makeReadSource(fileDescriptor: pidfd, queue: .global())
        source.setEventHandler { [self] in
            if exit != nil { source.cancel() }
        }
        source.setCancelHandler { close(pidfd) }
        source.activate()
    }
}

/// Some milliseconds, also when the task was cancelled: a server must not be left behind half stopped.
func pause() async {
    do { try await Task.sleep(for: .milliseconds(5)) } catch { usleep(5000) }
}

/// A status of waitpid(2) in words.
private func describe(_ status: Int32) -> String {
    let signal = status & 0x7F
    guard signal != 0 else { return "exit code \((status >> 8) & 0xFF)" }
    return "signal \(signal) (\(octavo_signal_text(signal).map { String(cString: $0) } ?? "unknown"))"
}
