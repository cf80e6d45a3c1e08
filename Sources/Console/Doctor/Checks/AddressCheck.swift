/// Where HTTP is served.
struct AddressCheck: DoctorCheck {
    let subject = "address"

    func findings(on host: Host) async throws -> [Finding] {
        let unit = "octavo-gateway-http.socket"
        let listen = try await host.property("Listen", of: unit).split(separator: "\n").joined(separator: ", ")
        guard try await !host.isActive(unit) else { return [Finding(subject: "HTTP is served at \(listen)")] }
        // systemd tries again and again; this is what it said then.
        let said = try await host.ask(
            "journalctl",
            ["--unit=\(unit)", "--grep=already in use", "--since=-10min", "--lines=1", "--output=cat", "--no-pager"]
        )
        guard said?.contains("already in use") == true else {
            return [wrong("nobody listens at \(listen)", mend: "systemctl status \(unit) says why.")]
        }
        let port = listen.split(separator: ":").last.map { $0.prefix { $0.isNumber } } ?? ""
        return [
            wrong(
                "another program has \(listen)",
                mend: "Find it: ss -ltnp 'sport = :\(port)'. Or listen elsewhere: systemctl edit \(unit)."
            )
        ]
    }
}
