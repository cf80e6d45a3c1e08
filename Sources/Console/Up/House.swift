import Agents
import Daemon
import FoundationEssentials
import Glibc
import ServiceLifecycle
package import Systemd

/// The three services of a machine with the sockets between them, as the units in `systemd/` have them.
package struct House {
    /// In the order of their calls: who is called comes before who calls, and is stopped after.
    package let services: [LocalService]
    /// The address people use.
    package let address: String

    /// Opens every socket besides `http`. Errors say what is in the way, such as a path that is too long.
    package init(
        state: StateFolder,
        programs: String,
        http: ListenSocket,
        databaseURL: String?,
        log: ServiceLog,
        settings: [String: String] = ProcessInfo.processInfo.environment
    ) throws {
        let run = state.runFolder
        let settings = ["LOGS_DIRECTORY": state.traces].merging(settings) { $1 }
        func unix(_ name: String, _ file: String) throws -> ListenSocket {
            try ListenSocket.bindUnix(name: name, path: "\(run)/\(file).sock")
        }
        services = [
            LocalService(
                "octavo-storage",
                in: programs,
                sockets: [
                    try unix("gateway", "storage-gateway"),
                    try unix("agent-runner", "storage-agent-runner"),
                    try unix("admin", "storage-admin"),
                ],
                // libpq has its own variables, and its files (.pgpass, .postgresql) in the home folder.
                environment: Self.part(of: settings, "HOME", prefixes: ["OCTAVO_DATABASE", "OCTAVO_MIGRATIONS", "PG"])
                    .adding(databaseURL.map { ["DATABASE_URL": $0] } ?? [:]),
                log: log
            ),
            LocalService(
                "octavo-agent-runner",
                in: programs,
                sockets: [try unix("gateway", "agent-runner-gateway"), try unix("admin", "agent-runner-admin")],
                environment: Self.part(
                    of: settings,
                    "OCTAVO_MODEL",
                    "OCTAVO_RUNS",
                    "OCTAVO_IDLE_SECONDS",
                    "OCTAVO_WEBHOOK_NETWORKS",
                    "WEBHOOK_SECRETS",
                    prefixes: ["ANTHROPIC_", "OPENAI_", "SLACK_", "SSL_CERT_"]
                        + Provider.known.compactMap(\.keyVariable)
                )
                .adding([
                    "OCTAVO_STORAGE": "\(run)/storage-agent-runner.sock",
                    "OCTAVO_AGENTS": settings["OCTAVO_AGENTS"] ?? state.agents,
                ]),
                log: log
            ),
            LocalService(
                "octavo-gateway",
                in: programs,
                sockets: [http, try unix("admin", "gateway-admin")],
                environment: Self.part(of: settings, "OCTAVO_HTTP_KEYS").adding([
                    "OCTAVO_STORAGE": "\(run)/storage-gateway.sock",
                    "OCTAVO_AGENT_RUNNER": "\(run)/agent-runner-gateway.sock",
                ]),
                log: log
            ),
        ]
        address = "http://\(http.kind)"
    }

    /// Removes the socket files, once the services have ended.
    func removeSockets() {
        for socket in services.flatMap(\.sockets) {
            if case .unix(let path) = socket.kind { unlink(path) }
        }
    }

    /// The folder of the executables: that of this one.
    package static func programs() throws -> String {
        guard let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"),
            let slash = own.lastIndex(of: "/")
        else { throw Failure("The folder of octavo's own program cannot be read from /proc/self/exe.") }
        let folder = String(own[..<slash])
        let services = ["octavo-storage", "octavo-agent-runner", "octavo-gateway"]
        let missing = services.filter { access("\(folder)/\($0)", F_OK) != 0 }
        guard missing.isEmpty else {
            throw Failure(
                "\(missing.joined(separator: ", ")) not found in \(folder). Build all of Octavo: swift build -c release"
            )
        }
        let locked = services.filter { access("\(folder)/\($0)", X_OK) != 0 }
        guard locked.isEmpty else {
            let names = locked.map { "\(folder)/\($0)" }.joined(separator: " ")
            throw Failure("You may not run \(locked.joined(separator: ", ")). Allow it: chmod +x \(names)")
        }
        return folder
    }

    /// The settings of spans, and where `OCTAVO_TRACES=file` puts them.
    private static let traces = ["OCTAVO_TRACES", "OCTAVO_TRACES_SAMPLE", "LOGS_DIRECTORY"]

    /// What a service may know of this environment: what it needs and no more; the provider's key is the runner's alone.
    private static func part(
        of settings: [String: String],
        _ names: String...,
        prefixes: [String] = []
    ) -> [String: String] {
        let names = ["PATH", "LANG", "TZ", "OCTAVO_LOG", "OCTAVO_DRAIN_SECONDS", "OCTAVO_SETTINGS"] + traces + names
        return settings.filter { name, _ in names.contains(name) || prefixes.contains { name.hasPrefix($0) } }
    }
}

extension [String: String] {
    fileprivate func adding(_ other: [String: String]) -> [String: String] {
        merging(other) { $1 }
    }
}
