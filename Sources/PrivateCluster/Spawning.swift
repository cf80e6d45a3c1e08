import CLinux
import Glibc

/// Runs a program to its end and gives its status and the last of what it wrote.
func runProgram(
    _ arguments: [String],
    as account: Account
) async throws(PrivateClusterError) -> (status: Int32, output: String) {
    let (read, write) = try makeChannel()
    defer { close(read) }
    let process: pid_t
    do throws(PrivateClusterError) {
        process = try spawn(arguments, as: account, passing: [], output: write)
        close(write)
    } catch {
        close(write)
        throw error
    }
    _ = fcntl(read, F_SETFL, O_NONBLOCK)
    var output = ""
    var status: Int32 = 0
    while true {
        let ended = waitpid(process, &status, WNOHANG)
        output = String((output + readAll(read, limit: 1 << 16)).suffix(4096))
        guard ended == 0 else { return (ended == process ? status : -1, output) }
        do {
            try await Task.sleep(for: .milliseconds(5))
        } catch {
            kill(process, SIGKILL)
            waitpid(process, &status, 0)
            throw .failed(program: arguments[0], output: "cancelled")
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
func spawn(
    _ arguments: [String],
    as account: Account,
    passing descriptors: [Int32],
    output: Int32?
) throws(PrivateClusterError) -> pid_t {
    var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { pointers.forEach { free($0) } }
    let result = pointers.withUnsafeMutableBufferPointer { pointers in
        descriptors.withUnsafeBufferPointer { descriptors in
            withUnsafePointer(to: account.group) { group in
                var request = octavo_spawn_request()
                request.path = UnsafePointer(pointers[0])
                request.arguments = UnsafePointer(pointers.baseAddress)
                request.environment = UnsafePointer(environ)
                request.descriptors = descriptors.baseAddress
                request.descriptor_count = descriptors.count
                request.standard_output = output ?? -1
                request.standard_error = output ?? -1
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
    guard result.pid > 0 else {
        throw .failed(program: arguments[0], output: String(cString: strerror(result.error)))
    }
    // The process id does: nobody else reaps this child.
    close(result.pidfd)
    return result.pid
}
