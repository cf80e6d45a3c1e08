import ArgumentParser
import Glibc
import Wire

/// `octavo doctor`.
struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look over an installed Octavo and this machine, and say how to mend what is wrong.",
        discussion: """
            Nothing is changed. As root it sees everything; without, it says what it could not look at.

              sudo octavo doctor
              sudo octavo doctor --json | jq '.findings[] | select(.problem)'

            Exit code 0 when nothing is wrong, 1 when something is.
            """
    )

    /// Every check there is. A new one is a file in the folder `Checks`, and its line here.
    static let checks: [any DoctorCheck] = [
        SystemdCheck(), FilesCheck(), AccountsCheck(), UnitsCheck(), SocketFilesCheck(), CredentialsCheck(),
        PostgresCheck(), RightsCheck(), ServicesCheck(), DiskCheck(), AddressCheck(), ClockCheck(), WallCheck(),
        TracesCheck(),
    ]

    @Flag(help: "One JSON document, for scripts.") var json = false

    func run() async throws {
        let findings = await Self.findings(on: Host())
        if json {
            Terminal.output.line(try JSON(encoding: ["findings": findings]).description)
        } else {
            findings.forEach { $0.show() }
        }
        if findings.contains(where: { $0.problem != nil }) { throw ExitCode(1) }
    }

    /// In the order of the checks, which do not wait for one another.
    static func findings(on host: Host) async -> [Finding] {
        guard host.exists("/usr/lib/systemd/system/octavo.target") else {
            return [
                Finding(
                    subject: "installation",
                    problem: "Octavo is not installed on this machine",
                    mend:
                        "Install it from its checkout: sudo .build/release/octavo install. With octavo up: octavo run check"
                )
            ]
        }
        return await withTaskGroup(of: Examination.self) { tasks in
            for (place, check) in checks.enumerated() {
                tasks.addTask { Examination(place: place, findings: await examine(check, on: host)) }
            }
            return await tasks.reduce(into: []) { $0.append($1) }
        }
        .sorted { $0.place < $1.place }
        .flatMap(\.findings)
    }

    private struct Examination {
        let place: Int
        let findings: [Finding]
    }

    /// A function of its own, and its result no tuple: with `return (place, try await …)` in the child task, Swift 6.3.1 loses
    /// `place` where it optimizes, and all but the last check's findings with it.
    private static func examine(_ check: any DoctorCheck, on host: Host) async -> [Finding] {
        do {
            return try await check.findings(on: host)
        } catch {
            return [Finding(subject: check.subject, unknown: "\(error)")]
        }
    }
}

/// Something a doctor looks at.
protocol DoctorCheck: Sendable {
    /// A word or two.
    var subject: String { get }
    /// What there is to say: a problem with what to do about it, or a sentence that all is well. Errors mean that it could
    /// not be looked at.
    func findings(on host: Host) async throws -> [Finding]
}

extension DoctorCheck {
    func wrong(_ problem: String, mend: String) -> Finding {
        Finding(subject: subject, problem: problem, mend: mend)
    }

    /// The problems, or one good sentence when there are none.
    func sum(_ problems: [Finding], good: String) -> [Finding] {
        problems.isEmpty ? [Finding(subject: good)] : problems
    }

    func unknown(_ why: String) -> [Finding] {
        [Finding(subject: subject, unknown: why)]
    }

    static var isRoot: Bool { geteuid() == 0 }
    static var onlyRoot: String { "only root may look at it: sudo octavo doctor" }
}
