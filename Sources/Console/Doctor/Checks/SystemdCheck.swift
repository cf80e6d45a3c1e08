/// systemd runs the machine, and is new enough.
struct SystemdCheck: DoctorCheck {
    let subject = "systemd"

    func findings(on host: Host) async throws -> [Finding] {
        guard Host.isRunBySystemd else {
            return [wrong("this machine was not started by systemd", mend: "Start it with systemd, or use octavo up.")]
        }
        guard let version = try await host.systemdVersion() else {
            return unknown("systemctl --version says no number")
        }
        guard version >= Requirements.systemd else {
            return [
                wrong("it is version \(version)", mend: "Octavo needs \(Requirements.systemd): Debian 12 or later.")
            ]
        }
        return [Finding(subject: "systemd \(version) runs this machine")]
    }
}
