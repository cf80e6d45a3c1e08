import FoundationEssentials
import Glibc

/// Where `octavo up` keeps what it needs: the database, the sockets, the log.
package struct StateFolder: Sendable {
    package let path: String

    /// `OCTAVO_STATE`, or the XDG state folder; for root a place the database's own user can reach.
    static var standard: StateFolder {
        if let chosen = environment("OCTAVO_STATE") { return StateFolder(path: chosen) }
        if geteuid() == 0 { return StateFolder(path: "/var/lib/octavo-up") }
        if let base = environment("XDG_STATE_HOME") { return StateFolder(path: base + "/octavo") }
        return StateFolder(path: (environment("HOME") ?? "/tmp/\(geteuid())") + "/.local/state/octavo")
    }

    package init(path: String) {
        let isAbsolute = path.hasPrefix("/")
        self.path = isAbsolute ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    package var runFolder: String { path + "/run" }
    var database: String { path + "/postgres" }
    package var log: String { path + "/octavo.log" }

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
