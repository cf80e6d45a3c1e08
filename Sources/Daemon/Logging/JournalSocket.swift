internal import Glibc
internal import Synchronization

/// The way to journald: datagrams that never wait. Work is worth more than its log, so when journald cannot keep up a
/// record is dropped, and the next that passes says how many were, as `DROPPED_RECORDS=`.
final class JournalSocket: Sendable {
    private let descriptor: Int32
    private let address: UnixAddress
    private let dropped = Atomic<Int>(0)

    /// Nil when the system has no more descriptors or the path is too long.
    ///
    /// The socket stays unconnected and each datagram is addressed: journald may be restarted in between.
    init?(path: String) {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        guard let address = UnixAddress(path: path) else {
            close(descriptor)
            return nil
        }
        self.descriptor = descriptor
        self.address = address
    }

    deinit {
        close(descriptor)
    }

    func send(_ record: JournalRecord) {
        var record = record
        let missed = dropped.exchange(0, ordering: .relaxed)
        if missed > 0 { record.append("DROPPED_RECORDS", "\(missed)") }
        let sent = address.withSocketAddress { address, length in
            sendto(descriptor, record.bytes, record.bytes.count, Int32(MSG_NOSIGNAL), address, length)
        }
        if sent < 0 { dropped.add(missed + 1, ordering: .relaxed) }
    }
}

/// A path as the kernel takes it, unix(7).
struct UnixAddress: Sendable {
    /// `sun_path` has 108 bytes, and one is for the NUL at the end.
    static let longestPath = 107

    private let address: sockaddr_un

    /// Nil when the path is empty, longer than ``longestPath`` bytes, or holds a NUL.
    init?(path: String) {
        let bytes = Array(path.utf8)
        guard (1...Self.longestPath).contains(bytes.count), !bytes.contains(0) else { return nil }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        self.address = address
    }

    func withSocketAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
