internal import CLinux
internal import Glibc
public import Systemd

/// Opening sockets as systemd would, for a parent that hands them to its children.
extension ListenSocket {
    /// The queue of connections nobody has accepted yet, as `Backlog=128` in the socket units: long enough for a
    /// restart, short enough that a client of a dead service hears EAGAIN early.
    private static let backlog: Int32 = 128

    /// Listens on a Unix socket file.
    ///
    /// A file left by a process that died is replaced, a socket that somebody answers on is not. The directory is
    /// locked (flock(2)) meanwhile: two parents that start at once cannot both find the file stale, one of them
    /// then unlinking the other's.
    ///
    /// - Parameter mode: of the file; who may connect is who may write.
    /// - Throws: ``ConfigurationError`` with a sentence that names the path.
    public static func bindUnix(name: String, path: String, mode: UInt32 = 0o600) throws(ConfigurationError) -> Self {
        guard let address = UnixAddress(path: path) else {
            throw ConfigurationError(
                "The socket path \(path) has \(path.utf8.count) bytes; Linux allows 1 to \(UnixAddress.longestPath). "
                    + "Choose a shorter directory."
            )
        }
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let lock = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard lock >= 0, flock(lock, LOCK_EX) == 0 else {
            throw failure("The directory \(directory) for the socket \(path)", errno, closing: lock)
        }
        defer { close(lock) }
        try removeStale(path, address)

        return try listening(name, on: AF_UNIX, described: "The socket \(path)") { descriptor in
            // Between bind and listen a connect is refused, so nobody passes before the mode is set.
            address.withSocketAddress { bind(descriptor, $0, $1) } == 0 && chmod(path, mode) == 0
        }
    }

    /// Listens on a TCP port.
    ///
    /// - Parameters:
    ///   - host: a numeric address, or `localhost` for 127.0.0.1. Names are not looked up: a listener that depends on
    ///     a name server does not start when it is down.
    ///   - port: 0 lets the kernel choose; ``kind`` says which.
    /// - Throws: ``ConfigurationError`` with a sentence that names the port.
    public static func bindTCP(name: String, host: String, port: UInt16) throws(ConfigurationError) -> Self {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host == "localhost" ? "127.0.0.1" : host, "\(port)", &hints, &found) == 0, let found else {
            throw ConfigurationError("\"\(host)\" is not an address to listen on; use one like 127.0.0.1 or ::1.")
        }
        defer { freeaddrinfo(found) }
        let described = "Port \(port) on \(host)"
        return try listening(name, on: found.pointee.ai_family, described: described) { descriptor in
            var on: Int32 = 1
            // A restart must not wait for the old connections' TIME_WAIT.
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
            return bind(descriptor, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0
        }
    }

    private static func listening(
        _ name: String,
        on family: Int32,
        described: String,
        bind: (Int32) -> Bool
    ) throws(ConfigurationError) -> Self {
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0, bind(descriptor), listen(descriptor, backlog) == 0 else {
            throw failure(described, errno, closing: descriptor)
        }
        do {
            return try ListenSocket(name: name, verifying: descriptor)
        } catch {
            close(descriptor)
            throw ConfigurationError(error.description)
        }
    }

    /// Only a connection attempt tells a stale file from a living socket: refused means that nobody holds it.
    private static func removeStale(_ path: String, _ address: UnixAddress) throws(ConfigurationError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw ConfigurationError("\(path) exists and is not a socket; move it away or choose another directory.")
        }
        let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        defer { if probe >= 0 { close(probe) } }
        let answer = address.withSocketAddress { connect(probe, $0, $1) }
        // Anything but a refusal may be somebody alive: EAGAIN is a full backlog, EACCES another user's socket.
        guard probe >= 0, answer < 0, errno == ECONNREFUSED else {
            throw ConfigurationError("Somebody already answers on \(path): is Octavo running in this directory?")
        }
        unlink(path)
    }

    private static func failure(_ what: String, _ error: Int32, closing descriptor: Int32) -> ConfigurationError {
        if descriptor >= 0 { close(descriptor) }
        return switch error {
        case EADDRINUSE: ConfigurationError("\(what) is already in use; stop the other program or choose another.")
        case EACCES, EPERM: ConfigurationError("\(what) may not be opened by this user.")
        case EADDRNOTAVAIL: ConfigurationError("\(what) is not an address of this machine.")
        default: ConfigurationError("\(what) cannot be opened: \(systemMessage(error)).")
        }
    }
}

/// What the C library calls an errno.
func systemMessage(_ error: Int32) -> String {
    octavo_error_text(error).map { String(cString: $0) } ?? "errno \(error)"
}
