/// Where HTTP is served.
struct AddressCheck: DoctorCheck {
    let subject = "address"

    func findings(on host: Host) async throws -> [Finding] {
        let unit = "octavo-gateway-http.socket"
        let listen = try await host.property("Listen", of: unit).split(separator: "\n").joined(separator: ", ")
        guard try await !host.isActive(unit) else { return [Finding(subject: "HTTP is served at \(listen)")] }
        let log =
            try await host.ask("journalctl", ["--unit=\(unit)", "--lines=20", "--output=cat", "--no-pager"]) ?? ""
        guard log.contains("Address already in use") else {
            return [wrong("nobody listens at \(listen)", mend: "systemctl status \(unit)")]
        }
        let port = listen.split(separator: ":").last.map { $0.prefix { $0.isNumber } } ?? ""
        return [
            wrong(
                "another program has \(listen)",
                mend: "Find it: ss -ltnp 'sport = :\(port)'. Or listen elsewhere: systemctl edit \(unit)"
            )
        ]
    }
}
