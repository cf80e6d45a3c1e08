import ArgumentParser
import Contract
import FoundationEssentials
import Glibc
import RPC
import Wire

/// `octavo run check`.
struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Look over the installation: sockets, services, database, migrations, versions.",
        discussion: "Says what is wrong and how to mend it. Exit code 1 when something is."
    )

    private static let sockets = [
        "storage-gateway", "storage-agent-runner", "storage-admin", "agent-runner-gateway", "agent-runner-admin",
        "gateway-admin",
    ]

    @Flag(help: "One JSON document, for scripts.") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let findings = await findings()
        if json {
            Terminal.output.line(try JSON(encoding: ["findings": findings]).description)
        } else {
            findings.forEach { $0.show() }
        }
        if findings.contains(where: { $0.problem != nil }) { throw ExitCode(1) }
    }

    /// Everything there is to say; also for `octavo doctor`.
    func findings() async -> [Finding] {
        if let nobody = nobodyIsThere() { return [nobody] }
        // None of them waits for another.
        async let storage = look(at: "storage")
        async let runner = look(at: "agent-runner")
        async let gateway = look(at: "gateway")
        // Storage is what tells of them; that it is away is said already.
        async let migrations = refusal(of: service.socket("storage")) == nil ? lookAtMigrations() : []
        async let stranded = service.strandedRuns()
        return lookAtSockets() + (await [storage, runner, gateway]).flatMap(\.self) + (await migrations)
            + (await stranded).map { Finding(subject: "queue", mend: AgentsHere.mend, remark: $0) }
    }

    /// Where no service can be asked, and all of them for the same reason, that is all there is to say.
    private func nobodyIsThere() -> Finding? {
        let sockets = ["storage", "agent-runner", "gateway"].map(service.socket)
        let errors = Set(sockets.map { refusal(of: $0) })
        guard errors.count == 1, let first = errors.first, let error = first else { return nil }
        let problem =
            switch error {
            case ENOENT, ENOTDIR: "Octavo is not running here: there is no \(sockets[0])"
            case ECONNREFUSED: "Octavo is not running: nobody listens in \(service.folder) any more"
            case EACCES, EPERM: "you may not ask them: the sockets in \(service.folder) are for the group octavo-admin"
            default: "none of the sockets in \(service.folder) can be used: \(String(cString: strerror(error)))"
            }
        let mend =
            switch error {
            case EACCES, EPERM: "Become a member of it, or use sudo."
            default: "Start Octavo: octavo up, or systemctl start octavo.target; or name its folder with --run-folder."
            }
        return Finding(subject: "services", problem: problem, mend: mend)
    }

    private func lookAtSockets() -> [Finding] {
        let missing = Self.sockets.filter { !FileManager.default.fileExists(atPath: service.path(of: $0)) }
        guard !missing.isEmpty else { return [Finding(subject: "all \(Self.sockets.count) sockets are there")] }
        return missing.map {
            Finding(
                subject: "socket \($0)",
                problem: "there is no \(service.path(of: $0))",
                mend: "Start Octavo: octavo up, or systemctl start octavo.target; or name its folder with --run-folder."
            )
        }
    }

    private func look(at name: String) async -> [Finding] {
        let health: Health
        do {
            health = try await service.withService(name) { try await $0.perform(GetHealth(), deadline: .seconds(2)) }
        } catch {
            let mend = "See its log: journalctl -u octavo-\(name), or octavo.log in the folder of octavo up."
            return [Finding(subject: name, problem: "it does not answer: \(error)", mend: mend)]
        }
        var findings = health.reasons.map { Finding(subject: name, problem: $0, mend: Self.mend(for: $0)) }
        if health.version != octavoVersion {
            findings.append(
                Finding(
                    subject: name,
                    problem: "it runs version \(health.version), and this is version \(octavoVersion)",
                    mend: "Restart it: systemctl restart octavo-\(name), or octavo up anew."
                )
            )
        }
        guard findings.isEmpty else { return findings }
        let warnings = (health.warnings ?? []).map { Finding(subject: name, remark: Terminal.oneLine($0)) }
        let seconds = health.uptimeMilliseconds / 1000
        return [Finding(subject: "\(name) is ready: version \(health.version), up \(seconds) s")] + warnings
    }

    private static func mend(for reason: String) -> String {
        let known = [
            (
                "no database configured",
                "Set DATABASE_URL for octavo-storage, as in postgresql:///octavo?host=/run/postgresql"
            ),
            (
                "database is away",
                "Start Postgres: systemctl start postgresql; and see that octavo-storage may connect."
            ),
            ("database was not reached", "Wait a moment; then see that Postgres runs and octavo-storage may connect."),
            ("migration was refused", "Ask why: octavo run migrate --check; then try again: octavo run migrate"),
        ]
        return known.first { reason.contains($0.0) }?.1 ?? "See its log for more."
    }

    private func lookAtMigrations() async -> [Finding] {
        do {
            let migrations = try await service.withService("storage") { storage in
                try await storage.perform(ListMigrations(), deadline: .seconds(5)).migrations
            }
            let problems = migrations.flatMap { Migrate.problems(of: $0) }
            guard problems.isEmpty else {
                return problems.map { Finding(subject: "migrations", problem: $0) }
            }
            return [Finding(subject: "the database answers, and all \(migrations.count) migrations are applied")]
        } catch {
            return [
                Finding(subject: "database", problem: "\(error)", mend: "Mend storage first; then run this again.")
            ]
        }
    }
}
