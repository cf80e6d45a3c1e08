import Glibc

/// Services that were started from files which have changed since are restarted, one after the other.
///
/// Who is called comes first, so that nobody calls a service older than itself. The sockets stay open: a restart drains
/// what was accepted, and everything else waits in the queue for the new process.
struct Restart: InstallStep {
    let title = "services"
    /// What is installed from.
    let checkout: Checkout?

    func apply(on host: Host) async throws -> String {
        var restarted: [String] = []
        for service in Host.services where try await isToBeRestarted("\(service).service", host) {
            try await host.run("systemctl", ["restart", "\(service).service"])
            restarted.append(service)
        }
        return restarted.isEmpty ? "nothing to restart" : "restarted: \(restarted.joined(separator: ", "))"
    }

    /// In a dry run its files are those from before still.
    private func isToBeRestarted(_ unit: String, _ host: Host) async throws -> Bool {
        if try await Self.isOlderThanItsFiles(unit, host) { return true }
        guard host.isDryRun, let checkout, try await host.isActive(unit) else { return false }
        let own = Self.files(of: unit)
        return try checkout.files().contains { own.contains($0.to) && !$0.isInPlace(on: host) }
    }

    private static func files(of unit: String) -> [String] {
        [
            "/usr/lib/octavo/\(unit.prefix { $0 != "." })", "/usr/lib/systemd/system/\(unit)",
            "/usr/lib/systemd/system/octavo-.service.d/10-sandbox.conf",
        ]
    }

    /// False when it does not run: it starts from the new files.
    static func isOlderThanItsFiles(_ unit: String, _ host: Host) async throws -> Bool {
        guard try await host.isActive(unit) else { return false }
        let text = try await host.property("ExecMainStartTimestamp", of: unit)
        // Unknown is as good as older.
        guard let started = Instant(systemd: text) else { return true }
        return files(of: unit).contains { path in
            // When it was given its name is when it got what is in it.
            Instant(changeOf: host.root + path).map { $0 > started } ?? false
        }
    }
}

/// A moment by the machine's clock, as files and systemd write it down.
struct Instant: Comparable {
    let seconds: Int
    let microseconds: Int

    /// As `systemctl show --timestamp=us+utc` has it: `Mon 2026-11-23 01:14:33.123456 UTC`.
    init?(systemd text: String) {
        let fields = text.split(separator: " ")
        guard fields.count == 4, fields[3] == "UTC" else { return nil }
        let parts = fields[2].split(separator: ".")
        guard parts.count == 2, let microseconds = Int(parts[1]) else { return nil }
        let numbers = "\(fields[1])-\(parts[0])".split { $0 == "-" || $0 == ":" }.compactMap { Int32($0) }
        guard numbers.count == 6, (1...12).contains(numbers[1]), (0...23).contains(numbers[3]) else { return nil }
        var time = tm()
        (time.tm_year, time.tm_mon, time.tm_mday) = (numbers[0] - 1900, numbers[1] - 1, numbers[2])
        (time.tm_hour, time.tm_min, time.tm_sec) = (numbers[3], numbers[4], numbers[5])
        seconds = timegm(&time)
        self.microseconds = microseconds
    }

    /// When a file got what is in it, or its name.
    init?(changeOf path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        seconds = status.st_ctim.tv_sec
        microseconds = status.st_ctim.tv_nsec / 1_000
    }

    static func < (one: Self, other: Self) -> Bool {
        (one.seconds, one.microseconds) < (other.seconds, other.microseconds)
    }
}
