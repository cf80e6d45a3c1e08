import Glibc

/// There is room: a full disk stops Postgres, and with it everything.
struct DiskCheck: DoctorCheck {
    /// Below this Postgres' own log of changes may run out of room within an import.
    private static let leastBytes = 1 << 30

    let subject = "disk"

    func findings(on host: Host) async throws -> [Finding] {
        var places = ["/", "/var/log"]
        if Self.isRoot, let data = try? await host.askSQL("show data_directory") { places.append(data) }
        var problems: [Finding] = []
        var least = Int.max
        for place in places {
            var status = statvfs()
            guard statvfs(place, &status) == 0 else { continue }
            let free = Int(status.f_bavail) * Int(status.f_frsize)
            least = min(least, free)
            if free < Self.leastBytes {
                problems.append(
                    wrong(
                        "\(free >> 20) MiB are free at \(place)",
                        mend: "Make room: octavo run prune --days N, journalctl --vacuum-size=200M"
                    )
                )
            }
        }
        return sum(problems, good: "\(least >> 30) GiB are free")
    }
}
