import Glibc

/// Whether somebody listens on a Unix socket: nil, or the errno of the attempt. Only connecting tells a living socket from
/// a file left by a process that was killed.
func refusal(of path: String) -> CInt? {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    // unix(7): one byte is for the NUL at the end.
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return ENAMETOOLONG }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let probe = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
    guard probe >= 0 else { return errno }
    defer { close(probe) }
    let answer = withUnsafePointer(to: address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(probe, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
    // EAGAIN is a full queue, of somebody who is alive.
    return answer == 0 || errno == EAGAIN ? nil : errno
}
