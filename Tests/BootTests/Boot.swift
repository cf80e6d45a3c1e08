import Console
import Daemon
import FoundationEssentials
import Glibc
import TestSupport

/// A machine that systemd boots as PID 1, over a copy-on-write view of this one's root; Octavo is installed in it with its own
/// command, and looked over by `machine/checks.py`. One boot serves all tests.
enum Boot {
    /// What a check of `machine/` found.
    struct Finding: Decodable, Sendable {
        enum State: String, Decodable {
            case holds, fails
            /// The machine cannot show it either way.
            case unproven
        }

        var check: String
        var state: State
        /// Why, or what was measured.
        var said: String
        var seconds: Double
    }

    /// More than a slow machine needs; what hangs ends with it.
    private static let limit = 900

    static let folder = #filePath.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/machine"

    /// The checks' names, as their files list them.
    static let checks: [String] = ["installing", "living", "walls", "removing"].flatMap { file -> [String] in
        let text = FileManager.default.contents(atPath: "\(folder)/\(file).py").map {
            String(decoding: $0, as: UTF8.self)
        }
        guard let list = text?.split(separator: "CHECKS = [").last else { return [] }
        return list.prefix { $0 != "]" }.split { !($0.isLetter || $0 == "_") }.map(String.init)
    }

    /// Why this machine cannot do it; nil when it can.
    static let obstacle: String? = {
        guard geteuid() == 0 else { return "this is not root" }
        for (program, package) in [
            ("/usr/bin/systemd-nspawn", "systemd-container"), ("/usr/bin/pg_createcluster", "postgresql-15"),
            ("/usr/bin/dbus-daemon", "dbus"), ("/usr/bin/python3", "python3"),
        ] where access(program, X_OK) != 0 {
            return "there is no \(program): apt-get install \(package)"
        }
        let overlay = """
            unshare --mount --propagation private sh -c 'mount -t tmpfs tmpfs /mnt && mkdir /mnt/u /mnt/w /mnt/r && \
            mount -t overlay -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w overlay /mnt/r' 2>/dev/null
            """
        return system(overlay) == 0 ? nil : "this container may not mount a file system"
    }()

    /// What was found, by check.
    static func findings() async throws -> [String: Finding] {
        try await boot.value
    }

    // Several tests wait for the one boot.
    private static let boot = Task { try await run() }

    /// A machine boots and is put under load: beside it, other tests would run into their deadlines, and its services into
    /// theirs. So it waits until the others are done, which shows in how many processes want to run.
    private static func untilOthersAreDone() async throws {
        var calm = 0
        for _ in 0..<1000 where calm < 8 {
            try await Task.sleep(for: .milliseconds(250))
            let text =
                FileManager.default.contents(atPath: "/proc/stat").map { String(decoding: $0, as: UTF8.self) } ?? ""
            let running = text.split(separator: "procs_running ").last?.prefix(while: \.isNumber)
            calm = (running.flatMap { Int($0) } ?? 0) <= 2 ? calm + 1 : 0
        }
    }

    private static func run() async throws -> [String: Finding] {
        try await untilOthersAreDone()
        let findings = try await shell("mktemp --directory").split(separator: "\n").joined()
        defer { try? FileManager.default.removeItem(atPath: findings) }
        let programs = try House.programs()
        let checkout = folder.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }
        let said = try await shell(
            """
            timeout --kill-after=10 \(limit) unshare --mount --propagation private \
            \(folder)/boot.sh \(checkout) \(programs) \(findings) 2>&1
            """
        )
        func text(_ name: String) -> String {
            FileManager.default.contents(atPath: "\(findings)/\(name)").map { String(decoding: $0, as: UTF8.self) }
                ?? ""
        }
        let found = try text("findings").split(separator: "\n").map {
            try JSONDecoder().decode(Finding.self, from: Data($0.utf8))
        }
        guard !found.isEmpty else { throw NotBooted(description: "\(said)\n\(text("output"))") }
        if found.contains(where: { $0.state == .fails }) {
            print("The services' journal, from the booted machine:\n\(text("journal").suffix(20_000))")
        }
        return Dictionary(uniqueKeysWithValues: found.map { ($0.check, $0) })
    }
}

/// The machine did not come up.
struct NotBooted: Error {
    let description: String
}
