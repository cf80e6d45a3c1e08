import Glibc

/// Users, groups and folders, by systemd's own means.
struct Accounts: InstallStep {
    /// As sysusers.d/octavo.conf has them.
    static let users = ["octavo-gateway", "octavo-agent-runner", "octavo-storage", "octavo-owner"]
    static let group = "octavo-admin"

    let title = "users"

    func apply(on host: Host) async throws -> String {
        let missing = (Self.users + [Self.group]).filter { getgrnam($0) == nil }
        try await host.run("systemd-sysusers", ["/usr/lib/sysusers.d/octavo.conf"])
        try await host.run("systemd-tmpfiles", ["--create", "/usr/lib/tmpfiles.d/octavo.conf"])
        return missing.isEmpty ? "as they were" : "\(missing.joined(separator: ", "))"
    }

    /// Called only when all data go: files of a user that is no more would be the next user's.
    func undo(on host: Host) async throws -> String {
        let there = Self.users.filter { getpwnam($0) != nil }
        for user in there { try await host.run("userdel", [user]) }
        for group in Self.users + [Self.group] where getgrnam(group) != nil {
            try await host.run("groupdel", [group])
        }
        return "\(there.joined(separator: ", ")), \(Self.group)"
    }
}
