import FoundationEssentials
import Glibc

extension PrivateCluster {
    /// A socket's path has 108 bytes with its closing NUL (unix(7)).
    func checkSocketPath() throws(PrivateClusterError) {
        let path = directory + "/.s.PGSQL.5432"
        guard path.utf8.count <= 107 else { throw .socketPathTooLong(path) }
    }

    /// Refuses when another server runs on these data; a lock file left by a crash is none.
    func checkNotRunning() throws(PrivateClusterError) {
        guard let process = postmasterFile(line: 0).flatMap({ pid_t($0) }), process > 0 else { return }
        // EPERM: it lives, as somebody else.
        guard kill(process, 0) == 0 || errno == EPERM else { return }
        // The number may have been given to another program since.
        guard readTail(of: "/proc/\(process)/cmdline").contains("postgres") else { return }
        throw .alreadyRunning(directory: directory, processID: process)
    }

    /// One line of the server's lock file, from 0: the process id first, the state eighth.
    func postmasterFile(line: Int) -> String? {
        let lines = readTail(of: data + "/postmaster.pid").split(separator: "\n", omittingEmptySubsequences: false)
        return lines.indices.contains(line) ? String(lines[line]) : nil
    }

    /// Keeps the log below 20 MB in all, so that a machine which runs for years does not fill its disk.
    func rotateLog() {
        var status = stat()
        guard stat(log, &status) == 0, status.st_size > 10 << 20 else { return }
        rename(log, log + ".old")
    }

    /// The error for a program that failed, by its own words.
    func explain(_ program: String, _ output: String) -> PrivateClusterError {
        if output.contains("No space left on device") { return .diskFull(directory) }
        if output.contains("Permission denied") { return .unreachable(directory, account: account.name) }
        return .failed(program: program, output: output)
    }
}

/// Whether a name needs no quoting anywhere: in a map, a shell or SQL.
func isPlainName(_ name: String) -> Bool {
    guard let first = name.utf8.first, name.utf8.count <= 63 else { return false }
    let isLetter = { (byte: UInt8) in (97...122).contains(byte) || byte == UInt8(ascii: "_") }
    return isLetter(first) && name.utf8.allSatisfy { isLetter($0) || (48...57).contains($0) }
}

/// A value in a connection string.
func quoted(_ value: String) -> String {
    let escaped = value.flatMap { $0 == "'" || $0 == "\\" ? ["\\", $0] : [$0] }
    return "'\(String(escaped))'"
}

/// The last 4 KB of a file, empty when it cannot be read.
func readTail(of path: String) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    let size = lseek(descriptor, 0, SEEK_END)
    lseek(descriptor, max(0, size - 4096), SEEK_SET)
    return readAll(descriptor, limit: 4096)
}

/// What can be read at once, up to a limit.
func readAll(_ descriptor: Int32, limit: Int) -> String {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while bytes.count < limit {
        let count = read(descriptor, &chunk, min(chunk.count, limit - bytes.count))
        guard count > 0 else { break }
        bytes += chunk.prefix(count)
    }
    return String(decoding: bytes, as: UTF8.self)
}

/// Removes a directory with all in it. What cannot be removed stays: there is nobody to tell.
func removeTree(_ path: String) {
    try? FileManager.default.removeItem(atPath: path)
}
