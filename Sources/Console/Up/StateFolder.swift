import FoundationEssentials
import Glibc

/// Where `octavo up` keeps what it needs: the database, the sockets, the log.
package struct StateFolder: Sendable {
    package let path: String

    /// `OCTAVO_STATE`, or the XDG state folder; for root a place the database's own user can reach.
    /// Throws when there is no home folder either.
    static var standard: StateFolder {
        get throws {
            if let chosen = environment("OCTAVO_STATE") { return StateFolder(path: chosen) }
            if geteuid() == 0 { return StateFolder(path: "/var/lib/octavo-up") }
            if let base = environment("XDG_STATE_HOME") { return StateFolder(path: base + "/octavo") }
            guard let home = environment("HOME") else {
                throw Failure("HOME is not set, so there is no state folder. Choose one with --state or OCTAVO_STATE.")
            }
            return StateFolder(path: home + "/.local/state/octavo")
        }
    }

    package init(path: String) {
        let isAbsolute = path.hasPrefix("/")
        self.path = isAbsolute ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    package var runFolder: String { path + "/run" }
    var database: String { path + "/postgres" }
    package var log: String { path + "/octavo.log" }

    /// Somebody listens on storage's socket. Only connecting tells that from a file left by a process that was killed.
    var isInUse: Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array("\(runFolder)/storage-admin.sock".utf8)
        // unix(7): one byte is for the NUL at the end.
        guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard probe >= 0 else { return false }
        defer { close(probe) }
        let answer = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(probe, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        // EAGAIN is a full queue, of somebody who is alive.
        return answer == 0 || errno == EAGAIN
    }

    /// Makes the folders, and holds them for this process until it ends.
    func take() throws -> FileLock {
        for folder in [path, runFolder] {
            do {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            } catch {
                throw Failure(
                    "The folder \(folder) cannot be made: \(String(cString: strerror(errno))). Choose another with --state."
                )
            }
        }
        // The folder of the sockets is this user's alone; that above it is passed through by the database's user.
        chmod(runFolder, 0o700)
        return try FileLock(path + "/up.lock")
    }
}

/// A file that one process at a time holds.
final class FileLock: Sendable {
    private let descriptor: CInt

    init(_ path: String) throws {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw Failure(
                "\(path) cannot be written: \(String(cString: strerror(errno))). Choose another folder with --state."
            )
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw Failure(
                "octavo up is running already with this state folder (\(path)). Stop it first, or choose another with --state."
            )
        }
    }

    deinit {
        close(descriptor)
    }
}
