/// Postgres of this machine is reached, new enough, and has room for storage's connections.
struct PostgresCheck: DoctorCheck {
    /// What storage opens at most by its own settings, and what others need.
    private static let connections = 16 + 8 + 6

    let subject = "Postgres"

    func findings(on host: Host) async throws -> [Finding] {
        guard try await DatabasePlace.current(on: host) == .local else {
            return [Finding(subject: "Postgres is on another machine")]
        }
        guard Self.isRoot else { return unknown(Self.onlyRoot) }
        let answer: [String]
        do {
            answer = try await host.askSQL(
                "select current_setting('server_version_num'), current_setting('max_connections')"
            ).split(separator: "|").map(String.init)
        } catch {
            return [
                wrong(
                    "\(error)",
                    mend: "systemctl status postgresql; pg_lsclusters has to list a cluster on port 5432."
                )
            ]
        }
        var problems: [Finding] = []
        let version = (answer.first.flatMap { Int($0) } ?? 0) / 10_000
        if version < Requirements.postgres {
            problems.append(wrong("it is version \(version)", mend: "Octavo needs \(Requirements.postgres) or later."))
        }
        let most = answer.last.flatMap { Int($0) } ?? 0
        if most < Self.connections {
            problems.append(
                wrong(
                    "it takes \(most) connections, and storage may open 24",
                    mend:
                        "Raise max_connections, or lower OCTAVO_DATABASE_CONNECTIONS and OCTAVO_DATABASE_TRANSACTIONS."
                )
            )
        }
        return sum(problems, good: "Postgres \(version) answers and takes \(most) connections")
    }
}
