import Glibc

/// The target is switched on, sockets are open, no service fails, and none runs from files that have changed since.
struct UnitsCheck: DoctorCheck {
    /// Starts since the last one by hand that nobody calls a crash loop.
    private static let fewRestarts = 5

    let subject = "units"

    func findings(on host: Host) async throws -> [Finding] {
        var problems: [Finding] = []
        if try await host.ask("systemctl", ["is-enabled", "octavo.target"]) == nil {
            problems.append(
                wrong("octavo.target does not start with the machine", mend: "systemctl enable --now octavo.target")
            )
        } else if try await !host.isActive("octavo.target") {
            problems.append(wrong("octavo.target is stopped", mend: "systemctl start octavo.target"))
        }
        for name in SocketFile.all.map(\.unit) + ["octavo-gateway-http.socket"] where try await !host.isActive(name) {
            let mend = "systemctl start \(name); systemctl status \(name) says why it was not."
            problems.append(wrong("\(name) is not open", mend: mend))
        }
        for service in Host.services { problems += try await look(at: "\(service).service", host) }
        let units = host.names(in: "/usr/lib/systemd/system").filter { $0.hasPrefix("octavo") && !$0.hasSuffix(".d") }
        let verify = try await host.output(of: "systemd-analyze", ["--man=no", "verify"] + units)
        if let line = (verify.text + verify.errors).split(separator: "\n").first {
            problems.append(
                wrong(
                    "systemd does not understand a unit: \(line)",
                    mend: "systemctl cat UNIT shows it with its drop-ins."
                )
            )
        }
        return sum(problems, good: "octavo.target is switched on, every socket is open, no service fails")
    }

    private func look(at unit: String, _ host: Host) async throws -> [Finding] {
        let log = "Its log: journalctl -u \(unit)"
        if try await host.property("ActiveState", of: unit) == "failed" {
            return [wrong("\(unit) has failed: \(try await host.property("Result", of: unit))", mend: log)]
        }
        let restarts = Int(try await host.property("NRestarts", of: unit)) ?? 0
        let state = try await host.property("SubState", of: unit)
        if state == "auto-restart" || restarts >= Self.fewRestarts {
            return [wrong("\(unit) was started again \(restarts) times after it had ended by itself", mend: log)]
        }
        if try await host.property("NeedDaemonReload", of: unit) == "yes" {
            return [
                wrong(
                    "\(unit) or a drop-in of it has changed",
                    mend: "systemctl daemon-reload && systemctl restart \(unit)"
                )
            ]
        }
        guard state == "running", try await Restart.isOlderThanItsFiles(unit, host) else { return [] }
        return [wrong("\(unit) runs from files that were replaced since", mend: "systemctl restart \(unit)")]
    }
}
