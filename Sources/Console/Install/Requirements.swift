import Glibc

/// What has to be there before anything is changed.
enum Requirements {
    /// Debian 12's.
    static let systemd = 252
    static let postgres = 15

    /// Errors: ``Failure`` with the first thing that is missing, and what to do.
    static func check(_ host: Host, needsPostgres: Bool) async throws {
        guard geteuid() == 0 || host.isDryRun else {
            throw Failure(
                "This makes users, units and a database, and so it is for root: sudo \(CommandLine.arguments.joined(separator: " "))"
            )
        }
        guard Host.isRunBySystemd else {
            throw Failure(
                "This machine was not started by systemd, so there is nothing to install into. To try Octavo: octavo up"
            )
        }
        guard let version = try await host.systemdVersion(), version >= systemd else {
            throw Failure("systemd is older than \(systemd), which Debian 12 has; Octavo needs that.")
        }
        guard needsPostgres else { return }
        guard Host.has("psql") else {
            throw Failure("Postgres is not installed: apt-get install postgresql-15. One elsewhere: --database remote")
        }
        // Does nothing when it runs.
        try await host.run("systemctl", ["start", "postgresql.service"])
        guard !host.isDryRun else { return }
        let number = try await askWhenUp(host)
        guard number / 10_000 >= postgres else {
            throw Failure("Postgres is version \(number / 10_000); Octavo needs \(postgres) or later.")
        }
    }

    /// After a start Postgres takes a moment before it answers.
    private static func askWhenUp(_ host: Host) async throws -> Int {
        let end = ContinuousClock.now + .seconds(15)
        while true {
            do {
                return Int(try await host.askSQL("show server_version_num")) ?? 0
            } catch let failure as Failure {
                guard ContinuousClock.now < end else {
                    throw Failure(
                        "\(failure) Octavo uses the cluster at /run/postgresql, port 5432: pg_lsclusters lists what there is."
                    )
                }
                try await Task.sleep(for: .milliseconds(250))
            }
        }
    }
}
