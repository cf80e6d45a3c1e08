import Glibc
import Synchronization

/// A server that was started, and the pipe to its watchdog.
final class Server: Sendable {
    /// Started by a shell that becomes the server, so that the process id is the server's. Before, it leaves a watchdog
    /// behind which reads from the pipe: a line asks it to stop the server, and the end of the pipe means that the
    /// process which started the server is gone, however that happened. Then a temporary directory is removed too.
    ///
    /// The lock file tells when the server is gone; its process id may stay for a while as a zombie. A stopped server
    /// gets SIGCONT, without which it would not hear of the rest.
    static let watchdog = """
        postgres=$1 data=$2 log=$3 temporary=$4; shift 4
        exec >>"$log" 2>&1
        (
            trap '' INT TERM HUP
            stop=INT
            if ! read -r line <&3 && [ -n "$temporary" ]; then owner=gone stop=QUIT; fi
            kill -$stop $$; kill -CONT $$
            tries=0
            while [ -e "$data/postmaster.pid" ] && [ $tries -lt 300 ]; do sleep 0.05; tries=$((tries + 1)); done
            [ ! -e "$data/postmaster.pid" ] || kill -KILL $$
            [ -z "$owner" ] || rm -rf "$temporary"
        ) &
        exec 3<&-
        exec "$postgres" -D "$data" "$@"
        """

    let processID: pid_t
    private let pipe: Mutex<Int32>
    private let isReaped = Mutex(false)

    /// Starts it. Throws `failed` when not even the shell can be started.
    init(_ arguments: [String], as account: Account) throws(PrivateClusterError) {
        let (read, write) = try makeChannel()
        defer { close(read) }
        do throws(PrivateClusterError) {
            processID = try spawn(arguments, as: account, passing: [read], output: nil)
        } catch {
            close(write)
            throw error
        }
        pipe = Mutex(write)
    }

    /// Asks the watchdog to stop the server and to leave the directory.
    func requestStop() {
        pipe.withLock { descriptor in
            guard descriptor >= 0 else { return }
            // A watchdog that is gone has stopped the server already.
            _ = Glibc.write(descriptor, "stop\n", 5)
        }
    }

    /// Closes the pipe, which ends what still runs.
    func letGo() {
        pipe.withLock { descriptor in
            if descriptor >= 0 { close(descriptor) }
            descriptor = -1
        }
    }

    /// Whether the server has ended; collects its status.
    func hasEnded() -> Bool {
        isReaped.withLock { isReaped in
            if !isReaped { isReaped = waitpid(processID, nil, WNOHANG) != 0 }
            return isReaped
        }
    }
}
