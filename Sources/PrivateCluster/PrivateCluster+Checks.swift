import FoundationEssentials
import Glibc

extension PrivateCluster {
    /// A socket's path has 108 bytes with its closing NUL (unix(7)).
    func checkSocketPath() throws(PrivateClusterError) {
        let path = directory + "/.s.PGSQL.5432"
        guard path.utf8.count <= 107 else { throw .socketPathTooLong(path) }
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

    /// How long the log is before a start: what comes after is about that start.
    var logSize: Int {
        var status = stat()
        return stat(log, &status) == 0 ? Int(status.st_size) : 0
    }

    /// The error for a program that failed, by its own words.
    func explain(_ program: String, _ output: String) -> PrivateClusterError {
        if output.contains("No space left on device") || output.contains("Disk quota exceeded") {
            return .diskFull(directory)
        }
        if output.contains("database files are incompatible with server") {
            return .otherVersion(directory, made: readTail(of: data + "/PG_VERSION").filter { !$0.isNewline })
        }
        if output.contains("Permission denied") { return .unreachable(directory, account: account.name) }
        return .failed(program: program, output: lastWords(output))
    }

    /// The lines that say what went wrong, without the server's time stamps; short enough for a sentence.
    private func lastWords(_ output: String) -> String {
        let lines = output.split(whereSeparator: \.isNewline).map(String.init)
        let marks = ["FATAL:", "PANIC:", "ERROR:", "error:", "DETAIL:", "HINT:"]
        let telling = lines.filter { line in marks.contains { line.contains($0) } }
        let words = (telling.isEmpty ? lines : telling).suffix(3).map { line in
            marks.lazy.compactMap { line.firstRange(of: $0) }.first.map { String(line[$0.upperBound...]) }
                ?? line
        }
        let text = words.map { $0.trimmingPrefix { $0.isWhitespace } }.joined(separator: " ")
        return text.isEmpty ? "it says nothing more" : String(text.prefix(500))
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

/// The last 4 KB of a file, of what comes after an offset; empty when it cannot be read.
func readTail(of path: String, from offset: Int = 0) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    let size = lseek(descriptor, 0, SEEK_END)
    lseek(descriptor, max(off_t(offset), size - 4096), SEEK_SET)
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
