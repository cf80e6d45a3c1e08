import CSystemd
internal import Glibc

/// A listening stream socket that somebody else opened: systemd, or a parent that acts like it.
///
/// It is close-on-exec and non-blocking. Whoever takes it for serving owns the descriptor; the file behind a Unix
/// socket belongs to systemd and is never unlinked here.
public struct ListenSocket: Sendable, Hashable {
    /// Where the socket listens.
    public enum Kind: Sendable, Hashable, CustomStringConvertible {
        /// A Unix socket with its path; empty for an unnamed one, `@name` for one in the abstract namespace.
        case unix(path: String)
        /// A TCP socket with its numeric address and port.
        case inet(address: String, port: UInt16)

        /// The path, or `address:port` with an IPv6 address in brackets.
        public var description: String {
            switch self {
            case .unix(let path): path
            case .inet(let address, let port): address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
            }
        }
    }

    /// `FileDescriptorName=` of the socket unit, for Octavo the role of the caller: `gateway`, `admin`, `http`, …
    public let name: String
    /// The descriptor.
    public let descriptor: Int32
    /// Where it listens.
    public let kind: Kind

    /// Accepts `descriptor` if it is what its name promises.
    ///
    /// - Throws: ``ListenSocketError/notAListeningStream(name:)`` for anything but a listening Unix or TCP socket.
    public init(name: String, verifying descriptor: Int32) throws(ListenSocketError) {
        // sd_is_socket(3): positive when all of family, type and "listening" hold.
        func isSocket(_ family: Int32) -> Bool {
            sd_is_socket(descriptor, family, Int32(SOCK_STREAM.rawValue), 1) > 0
        }
        guard isSocket(AF_UNIX) || isSocket(AF_INET) || isSocket(AF_INET6), let kind = Kind(boundTo: descriptor) else {
            throw .notAListeningStream(name: name)
        }
        guard
            fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0,
            fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) == 0
        else { throw .notAListeningStream(name: name) }
        self.name = name
        self.descriptor = descriptor
        self.kind = kind
    }
}

extension ListenSocket.Kind {
    /// Asks the kernel (getsockname(2)); nil for a family other than Unix and IP.
    init?(boundTo descriptor: Int32) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let answered = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard answered == 0 else { return nil }
        switch Int32(storage.ss_family) {
        case AF_UNIX: self = .unix(path: Self.unixPath(storage, length: Int(length)))
        case AF_INET, AF_INET6:
            guard let (address, port) = Self.inetAddress(storage, length: length) else { return nil }
            self = .inet(address: address, port: port)
        default: return nil
        }
    }

    private static func unixPath(_ storage: sockaddr_storage, length: Int) -> String {
        let start = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? MemoryLayout<sa_family_t>.size
        return withUnsafeBytes(of: storage) { bytes in
            let path = bytes[min(start, length)..<length]
            // An abstract name begins with NUL and may hold more of them; unix(7) writes it with @.
            if path.first == 0 && path.count > 1 { return "@" + String(decoding: path.dropFirst(), as: UTF8.self) }
            return String(decoding: path.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    private static func inetAddress(_ storage: sockaddr_storage, length: socklen_t) -> (String, UInt16)? {
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        var service = [CChar](repeating: 0, count: Int(NI_MAXSERV))
        let failed = withUnsafePointer(to: storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getnameinfo(
                    $0,
                    length,
                    &host,
                    socklen_t(host.count),
                    &service,
                    socklen_t(service.count),
                    NI_NUMERICHOST | NI_NUMERICSERV
                )
            }
        }
        guard failed == 0, let port = UInt16(text(service)) else { return nil }
        return (text(host), port)
    }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// Why the sockets of this process cannot be used.
public enum ListenSocketError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A descriptor was passed that is not a listening Unix or TCP stream socket.
    case notAListeningStream(name: String)
    /// ``ListenSockets/take()`` was called before: the sockets have an owner.
    case alreadyTaken
    /// `LISTEN_FDS` and its companions contradict each other; the number is the errno of sd_listen_fds(3).
    case malformedEnvironment(errno: Int32)

    /// A sentence for whoever started the process.
    public var description: String {
        switch self {
        case .notAListeningStream(let name):
            "The descriptor passed as \"\(name)\" is not a listening stream socket; its socket unit needs ListenStream=."
        case .alreadyTaken:
            "The listening sockets of this process have already been taken."
        case .malformedEnvironment(let errno):
            "LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES do not fit together (errno \(errno))."
        }
    }
}
