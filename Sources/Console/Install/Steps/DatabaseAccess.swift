import FoundationEssentials
import Glibc

/// The way into Postgres for the two roles: by the user that the kernel says is asking, over the Unix socket, to the one
/// database, and in no other way.
struct DatabaseAccess: InstallStep {
    /// First in pg_hba.conf, where the first line that fits counts; they fit these two roles alone.
    static let rules = MarkedBlock(
        lines: [
            "local  \(Host.database)  \(Host.serviceRole),\(Host.ownerRole)       peer map=octavo",
            "local  all     \(Host.serviceRole),\(Host.ownerRole)       reject",
            "host   all     \(Host.serviceRole),\(Host.ownerRole)  all  reject",
        ],
        place: .top
    )
    static let users = MarkedBlock(
        lines: [
            "octavo  \(Host.serviceRole)  \(Host.serviceRole)",
            "octavo  \(Host.ownerRole)    \(Host.ownerRole)",
        ],
        place: .bottom
    )

    let title = "access"

    func apply(on host: Host) async throws -> String {
        try await change(on: host, rules: Self.rules.added(to:), users: Self.users.added(to:))
            ? "\(Host.serviceRole) and \(Host.ownerRole) by their users" : "as it was"
    }

    func undo(on host: Host) async throws -> String {
        try await change(on: host, rules: MarkedBlock.removed(from:), users: MarkedBlock.removed(from:))
            ? "removed from pg_hba.conf and pg_ident.conf" : "nothing of Octavo's was there"
    }

    /// Whether a file had to be changed. Postgres reads both only when it is told to, and before that it is asked whether
    /// it understands them; if not they are put back.
    private func change(
        on host: Host,
        rules: @escaping (String) -> String,
        users: @escaping (String) -> String
    ) async throws -> Bool {
        // What the rules name comes first.
        let files = [
            (try await host.askSQL("show ident_file"), users), (try await host.askSQL("show hba_file"), rules),
        ]
        var before: [String: String] = [:]
        for (path, edit) in files {
            guard let text = host.text(of: path) else { throw Failure("\(path) cannot be read.") }
            let edited = edit(text)
            guard edited != text else { continue }
            guard !host.isDryRun else {
                host.would("change \(path)")
                continue
            }
            try Self.replace(path, with: edited)
            before[path] = text
        }
        guard !before.isEmpty else { return false }
        let complaints = try await host.askSQL(
            """
            select file || ' line ' || line_number || ': ' || error from (
                select 'pg_hba.conf' as file, line_number, error from pg_hba_file_rules
                union all select 'pg_ident.conf', line_number, error from pg_ident_file_mappings) as line
            where error is not null
            """
        )
        guard complaints.isEmpty else {
            for (path, text) in before { try Self.replace(path, with: text) }
            throw Failure("Postgres does not understand its files, so they are as they were. \(complaints)")
        }
        try await host.runSQL("select pg_reload_conf()")
        return true
    }

    /// As a whole, with the owner and the mode it had.
    private static func replace(_ path: String, with text: String) throws {
        // The file itself where the path is a link to it.
        let real = realpath(path, nil)
        defer { free(real) }
        guard let place = real.map({ String(cString: $0) }) else { throw Failure("\(path) cannot be read.") }
        var status = stat()
        let draft = place + ".octavo-new"
        guard stat(place, &status) == 0, FileManager.default.createFile(atPath: draft, contents: nil),
            chmod(draft, status.st_mode & 0o7777) == 0, chown(draft, status.st_uid, status.st_gid) == 0
        else { throw Failure("\(draft) cannot be written: \(String(cString: strerror(errno))).") }
        let descriptor = open(draft, O_WRONLY | O_TRUNC | O_CLOEXEC)
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard descriptor >= 0, write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0,
            rename(draft, place) == 0
        else { throw Failure("\(place) cannot be written: \(String(cString: strerror(errno))).") }
    }
}
