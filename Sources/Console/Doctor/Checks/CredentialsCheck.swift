import Glibc

/// Keys are root's to read; systemd shows each to the service it is for.
struct CredentialsCheck: DoctorCheck {
    private static let folder = "/etc/octavo/credentials"

    let subject = "credentials"

    func findings(on host: Host) async throws -> [Finding] {
        var problems: [Finding] = []
        var status = stat()
        guard stat(Self.folder, &status) == 0 else {
            return [
                wrong("there is no \(Self.folder)", mend: "systemd-tmpfiles --create /usr/lib/tmpfiles.d/octavo.conf")
            ]
        }
        if status.st_uid != 0 || status.st_mode & 0o077 != 0 {
            let mend = "chown root:root \(Self.folder); chmod 700 \(Self.folder)"
            problems.append(wrong("\(Self.folder) is open to others than root", mend: mend))
        }
        guard Self.isRoot else { return problems + unknown(Self.onlyRoot) }
        var loaded: [String] = []
        for service in Host.services + ["octavo-migrate"] {
            loaded += try await host.credentials(of: "\(service).service")
        }
        let names = host.names(in: Self.folder)
        for name in names {
            let path = "\(Self.folder)/\(name)"
            if stat(path, &status) == 0, status.st_uid != 0 || status.st_mode & 0o077 != 0 {
                problems.append(
                    wrong("\(path) is open to others than root", mend: "chown root:root \(path); chmod 400 \(path)")
                )
            }
            if !loaded.contains(where: { $0.hasSuffix(":\(path)") }) {
                problems.append(
                    wrong(
                        "no service loads \(path)",
                        mend: "Its name is not one a unit has in LoadCredential=, or it is left over."
                    )
                )
            }
        }
        return sum(
            problems,
            good: names.isEmpty
                ? "no credentials yet; their folder is root's"
                : "credentials are root's: \(names.joined(separator: ", "))"
        )
    }
}
