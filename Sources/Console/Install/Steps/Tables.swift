/// Migrations, applied by the database's owner.
struct Tables: InstallStep {
    private static let unit = "octavo-migrate.service"

    let title = "tables"
    let database: DatabasePlace

    func apply(on host: Host) async throws -> String {
        if database == .remote, !host.isDryRun {
            let credentials = try await host.credentials(of: Self.unit)
            guard credentials.contains(where: { $0.hasPrefix("database-url:") }) else {
                throw Failure(
                    "Say first where Postgres is, as /usr/share/doc/octavo/examples/remote-postgres.conf shows; then run this again."
                )
            }
        }
        do {
            try await host.run("systemctl", ["start", Self.unit])
        } catch {
            try await Files.putBack(on: host)
            let log = try await host.ask(
                "journalctl",
                ["--unit=\(Self.unit)", "--lines=5", "--output=cat", "--no-pager"]
            )
            throw Failure(
                """
                The migrations were not applied. Nothing was restarted, and the programs are those from before. Put it right, then \
                install again. \
                journalctl -u \(Self.unit) ends:
                \(log ?? "nothing")
                """
            )
        }
        try Files.forget(on: host)
        return "up to date"
    }
}
