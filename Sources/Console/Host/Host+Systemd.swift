import Glibc

extension Host {
    /// The three services, in the order of their calls: who is called comes before who calls.
    static let services = ["octavo-storage", "octavo-agent-runner", "octavo-gateway"]

    /// systemd runs this machine, and not only lies on its disk.
    static var isRunBySystemd: Bool { access("/run/systemd/system", F_OK) == 0 }

    /// What a unit's property is now, as `systemctl show` has it; empty when there is no such unit.
    func property(_ name: String, of unit: String) async throws -> String {
        try await ask("systemctl", ["show", "--property=\(name)", "--value", "--timestamp=us+utc", unit]) ?? ""
    }

    func isActive(_ unit: String) async throws -> Bool {
        try await property("ActiveState", of: unit) == "active"
    }

    /// systemd's version, as `systemctl --version` begins.
    func systemdVersion() async throws -> Int? {
        try await ask("systemctl", ["--version"])?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    }
}
