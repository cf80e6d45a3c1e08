import Glibc

/// The services' users are there, have no rights besides their own, and somebody is an administrator.
struct AccountsCheck: DoctorCheck {
    let subject = "users"

    func findings(on host: Host) async throws -> [Finding] {
        let missing = Accounts.users.filter { getpwnam($0) == nil || getgrnam($0) == nil }
        guard missing.isEmpty, let admins = Self.members(of: Accounts.group) else {
            let names = missing.isEmpty ? Accounts.group : missing.joined(separator: ", ")
            return [wrong("\(names) is missing", mend: "systemd-sysusers /usr/lib/sysusers.d/octavo.conf")]
        }
        var problems: [Finding] = []
        for group in Accounts.users + [Accounts.group] {
            // One service in another's group could pass for it; only administrators are added by people.
            for user in Self.members(of: group) ?? [] where Accounts.users.contains(user) || group != Accounts.group {
                problems.append(
                    wrong(
                        "\(user) is in the group \(group), and so may call what only \(group) should",
                        mend: "gpasswd --delete \(user) \(group)"
                    )
                )
            }
        }
        let who =
            admins.isEmpty ? "nobody but root yet: gpasswd --add NAME octavo-admin" : admins.joined(separator: ", ")
        return sum(problems, good: "users are there; administrators: \(who)")
    }

    private static func members(of group: String) -> [String]? {
        guard let entry = getgrnam(group)?.pointee else { return nil }
        var members: [String] = []
        var place = entry.gr_mem
        while let name = place?.pointee {
            members.append(String(cString: name))
            place = place?.advanced(by: 1)
        }
        return members
    }
}
