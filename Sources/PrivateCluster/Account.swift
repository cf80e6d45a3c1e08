import Glibc

/// A user of the machine, and what must be done in that user's name.
struct Account: Sendable {
    let name: String
    let user: uid_t
    let group: gid_t

    /// The user of this process.
    static var current: Account {
        let user = geteuid()
        guard let entry = getpwuid(user) else { return Account(name: "\(user)", user: user, group: getegid()) }
        return Account(name: String(cString: entry.pointee.pw_name), user: user, group: entry.pointee.pw_gid)
    }

    /// Who the server runs as: the user of this process, or `postgres` for root.
    static func forServer() throws(PrivateClusterError) -> Account {
        guard geteuid() == 0 else { return current }
        guard let entry = getpwnam("postgres") else { throw .accountMissing("postgres") }
        return Account(name: "postgres", user: entry.pointee.pw_uid, group: entry.pointee.pw_gid)
    }

    /// A new directory that only this user and root may enter, with a path short enough for a socket.
    func makeTemporaryDirectory() throws(PrivateClusterError) -> String {
        let wanted = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        let parent = wanted.utf8.count <= 60 ? wanted : "/tmp"
        var template = Array("\(parent)/octavo-postgres-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw unusable(parent) }
        let path = template.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { String(cString: $0) } ?? parent
        }
        guard chown(path, user, group) == 0 else {
            rmdir(path)
            throw unusable(path)
        }
        return path
    }

    /// Makes the directory of a persistent cluster with those above it, or checks that it is this user's.
    func prepare(_ directory: String) throws(PrivateClusterError) {
        guard directory.hasPrefix("/") else { throw .directoryUnusable(directory, reason: "the path is not absolute") }
        var status = stat()
        if stat(directory, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFDIR else {
                throw .directoryUnusable(directory, reason: "it is a file")
            }
            guard status.st_uid == user else {
                throw .ownedBySomebodyElse(directory, owner: Account.name(of: status.st_uid), account: name)
            }
            return
        }
        var path = ""
        for component in directory.split(separator: "/") {
            path += "/\(component)"
            guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw unusable(path) }
        }
        guard chown(directory, user, group) == 0 else { throw unusable(directory) }
    }

    /// Writes a file that belongs to this user. Replaces it whole, so that a crash leaves the old or the new one.
    func write(_ text: String, to path: String) throws(PrivateClusterError) {
        let draft = path + ".new"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw unusable(draft) }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fchown(descriptor, user, group) == 0,
            rename(draft, path) == 0
        else { throw unusable(path) }
    }

    private static func name(of user: uid_t) -> String {
        getpwuid(user).map { String(cString: $0.pointee.pw_name) } ?? "user \(user)"
    }

    /// The error for the call that has just failed.
    private func unusable(_ path: String) -> PrivateClusterError {
        errno == ENOSPC ? .diskFull(path) : .directoryUnusable(path, reason: String(cString: strerror(errno)))
    }
}
