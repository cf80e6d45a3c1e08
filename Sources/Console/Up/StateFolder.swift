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
    /// Agents in YAML files; nobody but its owner makes it.
    package var agents: String { path + "/agents" }
    /// The spans, where they are kept in files.
    var traces: String { path + "/traces" }
    package var log: String { path + "/octavo.log" }

    /// Somebody listens on storage's socket.
    var isInUse: Bool { refusal(of: "\(runFolder)/storage-admin.sock") == nil }

    /// Holds the folder when an earlier start has made it; makes nothing.
    func lockIfUsed() throws -> FileLock? {
        access(lockFile, F_OK) == 0 ? try FileLock(lockFile) : nil
    }

    /// Makes the folders, and holds them for this process until it ends.
    func take() throws -> FileLock {
        try makeFolders()
        return try FileLock(lockFile)
    }

    /// Returns when nobody serves the sockets any more; the processes of a start that was killed take a moment to end.
    func waitUntilFree(patience: Duration) async throws {
        try makeFolders()
        let end = ContinuousClock.now + patience
        while isInUse, ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(20)) }
    }

    private var lockFile: String { path + "/up.lock" }

    private func makeFolders() throws {
        var folder = ""
        for name in runFolder.split(separator: "/") {
            folder += "/\(name)"
            guard mkdir(folder, 0o755) == 0 || errno == EEXIST else { throw Self.unusable(folder, errno) }
        }
        // The folder of the sockets is this user's alone; that above it is passed through by the database's user.
        chmod(runFolder, 0o700)
    }

    /// The error for a file or folder in here that the system refused.
    static func unusable(_ path: String, _ error: CInt) -> Failure {
        switch error {
        case ENOSPC, EDQUOT: Failure("No space is left for \(path). Make some, then start again.")
        case EROFS: Failure("\(path) is on a read-only file system. Choose another state folder with --state.")
        case EACCES, EPERM:
            Failure(
                "You may not write \(path): it belongs to another user. Run as that user, or choose another state folder with --state."
            )
        default:
            Failure(
                "\(path) cannot be made: \(String(cString: strerror(error))). Choose another state folder with --state."
            )
        }
    }
}

/// A file that one process at a time holds.
final class FileLock: Sendable {
    private let descriptor: CInt

    init(_ path: String) throws {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw StateFolder.unusable(path, errno) }
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
