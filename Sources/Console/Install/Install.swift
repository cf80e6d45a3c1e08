import ArgumentParser
import FoundationEssentials
import Glibc

/// Where Postgres is, for an installation.
enum DatabasePlace: String, CaseIterable, ExpressibleByArgument {
    /// On this machine: roles, database and access are seen to.
    case local
    /// Elsewhere: an administrator has seen to them.
    case remote
}

/// `octavo install`.
struct Install: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Install Octavo on this machine, or bring it up to date; as root.",
        discussion: """
            Run it from where Octavo was built:

              swift build -c release --static-swift-stdlib && sudo .build/release/octavo install

            Programs go to /usr/lib/octavo, units to /usr/lib/systemd/system, documentation to /usr/share/doc/octavo. Users, a \
            database with an owner and a role for storage, and the way in for both are made in Postgres of this machine. \
            HTTP is served on http://127.0.0.1:8080.

            Run again it brings everything up to date: programs are replaced, migrations applied, and services restarted one \
            after the other. Requests wait meanwhile, and none is lost. What you have changed is kept: drop-ins in \
            /etc/systemd/system, credentials in /etc/octavo, members of octavo-admin, and which units are switched on.

            `octavo doctor` says whether all is well, `octavo uninstall` takes it all back.
            """
    )

    @Option(help: ArgumentHelp("Where Postgres is: local or remote. (default: as it was, at first local)"))
    var database: DatabasePlace?
    @Option(help: ArgumentHelp("Only put the files into this folder, for a package or an image.", valueName: "folder"))
    var root: String?
    @Flag(help: "Say what would be done, and do nothing.") var dryRun = false

    func run() async throws {
        let host = Host(root: root ?? "", isDryRun: dryRun)
        let checkout = try Checkout.own()
        guard host.isMachine else {
            try await apply([Files(checkout: checkout)], on: host)
            if dryRun { Terminal.output.line("Nothing was done.") }
            return
        }

        try await Requirements.check(host, needsPostgres: database != .remote)
        let isFirst = !host.exists("/usr/lib/systemd/system/octavo.target")
        var place = database
        if place == nil, !isFirst { place = try await DatabasePlace.current(on: host) }
        try await apply(
            Self.steps(checkout: checkout, database: place ?? .local, isFirst: isFirst),
            on: host
        )
        if dryRun { Terminal.output.line("Nothing was done.") } else { Self.sayWhatNext() }
    }

    /// In the order of an installation. Each relies on those before it.
    static func steps(checkout: Checkout?, database: DatabasePlace, isFirst: Bool) -> [any InstallStep] {
        let postgres: [any InstallStep] = database == .local ? [DatabaseRoles(), DatabaseAccess()] : []
        return [Files(checkout: checkout), Accounts()] + postgres + [
            Tables(database: database), Activation(isFirst: isFirst), Restart(checkout: checkout), FirstBook(),
        ]
    }

    private func apply(_ steps: [any InstallStep], on host: Host) async throws {
        for step in steps {
            try await InstallProgress.run(step, on: host) { try await step.apply(on: host) }
        }
    }

    private static func sayWhatNext() {
        let out = Terminal.output
        out.line()
        out.line("Octavo is installed: \(out.styled("http://127.0.0.1:8080", .bold))")
        out.line()
        out.line("  octavo ask \"What happens when the agent runner dies?\"")
        out.line(
            "  gpasswd --add NAME octavo-admin      # who may use octavo health, books, runs; counts from the next login"
        )
        out.line("  octavo doctor")
    }
}

extension DatabasePlace {
    /// As storage's unit, with the admin's drop-ins, has it.
    static func current(on host: Host) async throws -> DatabasePlace {
        let credentials = try await host.credentials(of: "octavo-storage.service")
        return credentials.contains { $0.hasPrefix("database-url:") } ? .remote : .local
    }
}
