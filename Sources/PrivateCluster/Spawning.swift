import CLinux
import FoundationEssentials
import Glibc

/// A program that was started. Its descriptor is the owner's to close.
struct Child {
    let pid: pid_t
    let pidfd: Int32
}

/// Runs a program to its end and gives its status and the last of what it wrote.
func runProgram(
    _ arguments: [String],
    as account: Account
) async throws(PrivateClusterError) -> (status: Int32, output: String) {
    let (read, write) = try makeChannel()
    defer { close(read) }
    let child: Child
    do throws(PrivateClusterError) {
        child = try spawn(arguments, as: account, passing: [], output: write, deathSignal: SIGKILL)
        close(write)
    } catch {
        close(write)
        throw error
    }
    defer { close(child.pidfd) }
    _ = fcntl(read, F_SETFL, O_NONBLOCK)
    var output = ""
    var status: Int32 = 0
    while true {
        let ended = waitpid(child.pid, &status, WNOHANG)
        output = String((output + readAll(read, limit: 1 << 16)).suffix(4096))
        guard ended == 0 else { return (ended == child.pid ? status : -1, output) }
        do {
            try await Task.sleep(for: .milliseconds(5))
        } catch {
            // With what it has started itself: initdb runs Postgres.
            kill(-child.pid, SIGKILL)
            waitpid(child.pid, &status, 0)
            throw .failed(program: arguments[0], output: "it was interrupted")
        }
    }
}

/// Two connected sockets that no other child inherits. (`pipe2` is not in Glibc's module, and `pipe` leaves a moment in
/// which another thread's child could inherit both ends; then the watchdog would never see the end.)
func makeChannel() throws(PrivateClusterError) -> (read: Int32, write: Int32) {
    var ends: [Int32] = [-1, -1]
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
        throw .failed(program: "socketpair", output: String(cString: strerror(errno)))
    }
    return (ends[0], ends[1])
}

/// Starts a program in a process group of its own, so that a Ctrl-C in the terminal reaches this process only, with the
/// given descriptors from 3 on and none besides.
///
/// - Parameter deathSignal: what it gets when this process ends, however that happens; 0 for nothing.
func spawn(
    _ arguments: [String],
    as account: Account,
    passing descriptors: [Int32],
    output: Int32?,
    deathSignal: Int32 = 0
) throws(PrivateClusterError) -> Child {
    let result = withCStrings(arguments) { arguments in
        withCStrings(programEnvironment()) { environment in
            descriptors.withUnsafeBufferPointer { descriptors in
                withUnsafePointer(to: account.group) { group in
                    var request = octavo_spawn_request()
                    request.path = UnsafePointer(arguments[0])
                    request.arguments = UnsafePointer(arguments)
                    request.environment = UnsafePointer(environment)
                    request.descriptors = descriptors.baseAddress
                    request.descriptor_count = descriptors.count
                    request.standard_output = output ?? -1
                    request.standard_error = output ?? -1
                    request.death_signal = deathSignal
                    request.own_process_group = true
                    request.change_identity = account.user != geteuid()
                    request.user = account.user
                    request.group = account.group
                    request.supplementary_groups = group
                    request.supplementary_group_count = 1
                    return octavo_spawn(&request)
                }
            }
        }
    }
    guard result.pid > 0 else {
        throw .failed(program: arguments[0], output: String(cString: strerror(result.error)))
    }
    return Child(pid: result.pid, pidfd: result.pidfd)
}

/// This process' environment without the variables that would lead Postgres' programs elsewhere (PGPORT, PGSERVICE, …),
/// and in the one language in which their messages are understood here.
private func programEnvironment() -> [String] {
    ProcessInfo.processInfo.environment
        .filter { !$0.key.hasPrefix("PG") && !$0.key.hasPrefix("LC_") && $0.key != "LANG" && $0.key != "LANGUAGE" }
        .map { "\($0.key)=\($0.value)" } + ["LC_ALL=C.UTF-8"]
}

/// Words as execve(2) takes them, with the closing null.
private func withCStrings<Result>(
    _ words: [String],
    _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { pointers.forEach { free($0) } }
    return pointers.withUnsafeMutableBufferPointer { buffer in
        // It has at least the closing null.
        body(buffer.baseAddress.unsafelyUnwrapped)
    }
}
