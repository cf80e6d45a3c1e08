/// What systemd starts with the machine: one target, on which sockets and timers hang.
struct Activation: InstallStep {
    private static let target = "octavo.target"
    /// Switched on at the first installation; later it is the admin's to say.
    private static let enabled = [target, "octavo-prune.timer"]

    let title = "sockets"
    /// Whether Octavo was not installed before.
    let isFirst: Bool

    func apply(on host: Host) async throws -> String {
        if isFirst { try await host.run("systemctl", ["--quiet", "enable"] + Self.enabled) }
        let wasActive = try await host.isActive(Self.target)
        let isEnabled = try await host.ask("systemctl", ["is-enabled", Self.target]) != nil
        guard isEnabled || isFirst else { return "not started: \(Self.target) is switched off" }
        // Does nothing when it runs; sockets that are new are opened.
        try await host.run("systemctl", ["start", Self.target])
        try await openSockets(host)
        return wasActive ? "open, as they were" : "open"
    }

    /// Another program may have the port. The target starts all the same, and tries to open its sockets again later; here
    /// that is now.
    private func openSockets(_ host: Host) async throws {
        guard !host.isDryRun else { return }
        let sockets = SocketFile.all.map(\.unit) + ["octavo-gateway-http.socket"]
        _ = try await host.output(of: "systemctl", ["reset-failed"] + sockets)
        _ = try await host.output(of: "systemctl", ["start"] + sockets)
        for finding in try await AddressCheck().findings(on: host) {
            guard let problem = finding.problem else { continue }
            throw Failure("HTTP cannot be served: \(problem). \(finding.mend ?? "") Then install again.")
        }
    }

    func undo(on host: Host) async throws -> String {
        // All that hangs on it is stopped with it: services finish what they have accepted first.
        try await host.run(
            "systemctl",
            ["--quiet", "disable", "--now"] + Self.enabled + ["octavo-books-refresh.timer", "octavo-commands.service"]
        )
        // What a timer has started hangs on nothing.
        try await host.attempt("systemctl", ["stop", "octavo-*.service", "octavo-*.socket", "octavo.slice"])
        try await host.attempt("systemctl", ["clean", "--what=state", "octavo-prune.timer"])
        try await host.attempt("systemctl", ["clean", "--what=state", "octavo-books-refresh.timer"])
        // Files of sockets nobody listens on any more.
        try host.remove("/run/octavo")
        return "closed, and the services stopped"
    }
}
