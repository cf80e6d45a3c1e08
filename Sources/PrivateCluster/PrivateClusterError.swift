/// Why a cluster could not be had. The description says what to do about it.
public enum PrivateClusterError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Postgres' programs were found nowhere.
    case programsMissing
    /// The process is root's and there is no account to run Postgres as.
    case accountMissing(String)
    /// The role's name is not a plain one.
    case invalidRole(String)
    /// The directory cannot be made or used.
    case directoryUnusable(String, reason: String)
    /// The directory belongs to another user.
    case ownedBySomebodyElse(String, owner: String, account: String)
    /// The account cannot reach the directory.
    case unreachable(String, account: String)
    /// The path of the socket would be too long.
    case socketPathTooLong(String)
    /// Another server runs on the same data, or another process is about to start one.
    case alreadyRunning(directory: String, processID: Int32?)
    /// The data were made by another version of Postgres.
    case otherVersion(String, made: String)
    /// No space is left.
    case diskFull(String)
    /// A program failed for another reason; these are its last words on it.
    case failed(program: String, output: String)

    /// What is wrong, and what to do.
    public var description: String {
        switch self {
        case .programsMissing:
            """
            Postgres' programs (initdb, postgres) are neither on the PATH nor in /usr/lib/postgresql. \
            Install them: apt-get install postgresql-15
            """
        case .accountMissing(let name):
            """
            Postgres does not run as root, and there is no account \(name) to run it as. \
            Make one: adduser --system --group \(name)
            """
        case .invalidRole(let role):
            "\"\(role)\" cannot be a role here: use up to 63 of a-z, 0-9 and _, beginning with a letter."
        case .directoryUnusable(let path, let reason):
            "The directory \(path) cannot be used: \(reason). Choose another, or put that right."
        case .ownedBySomebodyElse(let path, let owner, let account):
            "\(path) belongs to \(owner). Run as \(owner), or give it away: chown -R \(account) \(path)"
        case .unreachable(let path, let account):
            """
            The account \(account) may not enter \(path). Choose a directory that it can reach, for instance below \
            /var/lib, or let it through the directories above: chmod o+x
            """
        case .socketPathTooLong(let path):
            "The socket's path has \(path.utf8.count) bytes, and 107 are allowed: \(path). Choose a shorter directory."
        case .alreadyRunning(let directory, let process):
            process.map {
                "A Postgres server already runs in \(directory) (process \($0)). Stop it first: kill -INT \($0)"
            } ?? "Another process is starting Postgres in \(directory). Stop it first, or choose another directory."
        case .otherVersion(let directory, let version):
            """
            The data in \(directory) were made by PostgreSQL \(version), which is not installed here. \
            Install it: apt-get install postgresql-\(version)
            """
        case .diskFull(let path):
            "No space is left on the device that holds \(path). Make some, then start again."
        case .failed(let program, let output):
            "\(program) failed: \(output). Put right what it names, then start again."
        }
    }
}
