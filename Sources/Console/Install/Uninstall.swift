import ArgumentParser
import Glibc

/// `octavo uninstall`.
struct Uninstall: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Take back what `octavo install` did; as root.",
        discussion: """
            Services finish what they have accepted, then sockets, units, programs, documentation and the lines in Postgres' \
            files go.

              octavo uninstall --keep-data   keeps the database, its roles, the users, /etc/octavo and drop-ins: \
            installing again finds everything as it was
              octavo uninstall --purge       leaves nothing, books and questions included

            Without either it asks. What --keep-data kept can be purged later. A database on another machine is never touched.
            """
    )

    @Flag(help: "Keep the database, the users and the settings.") var keepData = false
    @Flag(help: "Delete the database, the users and the settings.") var purge = false
    @Flag(help: "Say what would be done, and do nothing.") var dryRun = false

    func validate() throws {
        if keepData, purge { throw ValidationError("--keep-data and --purge are opposites: choose one.") }
    }

    func run() async throws {
        let host = Host(isDryRun: dryRun)
        guard geteuid() == 0 || dryRun else { throw Failure("This is for root: sudo octavo uninstall") }
        let isInstalled = host.exists("/usr/lib/systemd/system/octavo.target")
        guard isInstalled || purge && host.exists("/etc/octavo") else {
            throw Failure(
                "Octavo is not installed on this machine."
                    + (host.exists("/etc/octavo") ? " What was kept of it goes with --purge." : "")
            )
        }
        let isPurge = keepData ? false : try purge || dryRun || confirm()
        let place = try await DatabasePlace.current(on: host)
        if place == .local { try await Requirements.check(host, needsPostgres: true) }
        for step in Self.steps(database: place, isPurge: isPurge, isInstalled: isInstalled) {
            try await InstallProgress.run(step, on: host) { try await step.undo(on: host) }
        }
        guard !dryRun else {
            return Terminal.output.line("Nothing was done. \(isPurge ? "--purge" : "--keep-data") would do this.")
        }
        Terminal.output.line(
            isPurge ? "Octavo is gone." : "Octavo is gone; its data are kept. octavo install finds them."
        )
    }

    /// The reverse of an installation: nobody uses any more what is taken away.
    static func steps(database: DatabasePlace, isPurge: Bool, isInstalled: Bool) -> [any InstallStep] {
        var steps: [any InstallStep] = isInstalled ? [Activation(isFirst: false)] : []
        if database == .local {
            steps.append(DatabaseAccess())
            if isPurge { steps.append(DatabaseRoles()) }
        }
        if isPurge { steps += [Settings(), Accounts()] }
        return steps + (isInstalled ? [Files(checkout: nil)] : [])
    }

    private func confirm() throws -> Bool {
        guard isatty(STDIN_FILENO) == 1 else {
            throw Failure("Say what becomes of the books and questions: --keep-data or --purge.")
        }
        Terminal.output.write(
            "Octavo goes. What becomes of books, questions and settings: keep, delete, or cancel? [cancel] "
        )
        switch readLine()?.lowercased() {
        case "k", "keep": return false
        case "d", "delete": return true
        default: throw Failure("Nothing was done.")
        }
    }
}

/// Credentials and drop-ins, which the admin has made for Octavo.
private struct Settings: InstallStep {
    let title = "settings"

    func apply(on host: Host) async throws -> String { "" }

    func undo(on host: Host) async throws -> String {
        let units = "/etc/systemd/system"
        let dropIns = host.names(in: units).filter { $0.hasPrefix("octavo") }.map { "\(units)/\($0)" }
        // Where spans were kept.
        let logs = Host.services.map { "/var/log/\($0)" }.filter(host.exists)
        for path in dropIns + logs + ["/etc/octavo"] { try host.remove(path) }
        return "/etc/octavo" + (dropIns + logs).map { ", \($0)" }.joined()
    }
}
