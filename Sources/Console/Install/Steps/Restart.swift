import Glibc

/// Services that were started from files which have changed since are restarted, one after the other.
///
/// Who is called comes first, so that nobody calls a service older than itself. The sockets stay open: a restart drains
/// what was accepted, and everything else waits in the queue for the new process.
struct Restart: InstallStep {
    let title = "services"

    func apply(on host: Host) async throws -> String {
        var restarted: [String] = []
        for service in Host.services where try await Self.isOlderThanItsFiles("\(service).service", host) {
            try await host.run("systemctl", ["restart", "\(service).service"])
            restarted.append(service)
        }
        return restarted.isEmpty ? "nothing to restart" : "restarted: \(restarted.joined(separator: ", "))"
    }

    /// False when it does not run: it starts from the new files.
    static func isOlderThanItsFiles(_ unit: String, _ host: Host) async throws -> Bool {
        guard try await host.isActive(unit) else { return false }
        let started = try await host.property("ExecMainStartTimestamp", of: unit).dropFirst()
        let files = [
            "/usr/lib/octavo/\(unit.prefix { $0 != "." })", "/usr/lib/systemd/system/\(unit)",
            "/usr/lib/systemd/system/octavo-.service.d/10-sandbox.conf",
        ]
        // Unknown is as good as older; of the same second one cannot tell.
        guard let started = Int(started) else { return true }
        return files.contains { changed(host.root + $0) >= started }
    }

    /// When it got what is in it, in seconds: of a file that was copied that is when its name was given to it.
    private static func changed(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_ctim.tv_sec : 0
    }
}
