import Glibc

/// What a command writes: a file without a name, of which the end is kept.
final class CommandOutput: Sendable {
    /// What is kept of it: the end says how it came out.
    private static let maximumBytes = 16_384

    let descriptor: CInt

    init() throws {
        var path = Array("/tmp/octavo-command-XXXXXX".utf8CString)
        descriptor = mkstemp(&path)
        guard descriptor >= 0 else { throw Failure("No file can be made in /tmp: \(String(cString: strerror(errno)))") }
        unlink(path)
    }

    deinit {
        close(descriptor)
    }

    /// The last bytes, from the beginning of a line.
    func tail() -> String {
        let size = Int(lseek(descriptor, 0, SEEK_END))
        let start = max(0, size - Self.maximumBytes)
        var bytes = [UInt8](repeating: 0, count: max(0, size - start))
        let count = pread(descriptor, &bytes, bytes.count, off_t(start))
        var text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        if start > 0, let end = text.firstIndex(of: "\n") { text = "…" + text[end...] }
        // A NUL is in no text of the protocol.
        return text.replacing("\0", with: "")
    }
}
