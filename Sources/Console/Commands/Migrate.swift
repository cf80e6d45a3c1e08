import ArgumentParser
import Contract
import RPC
import Wire

/// `octavo run migrate`.
struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Bring the database's tables up to date.",
        discussion: """
            Storage does this by itself when it starts; this tries again after a migration was refused, without stopping \
            anything.

              octavo run migrate --plan    what would be applied
              octavo run migrate --check   for CI: exit code 1 when a migration is missing, was edited after it had been \
            applied, or would lock a table for writes

            A migration that has to lock a table says why in a comment before the statement: -- locks: REASON
            """
    )

    @Flag(help: "Say what would be applied, and change nothing.") var plan = false
    @Flag(help: "Change nothing; end with exit code 1 when something is missing or wrong.") var check = false
    @Flag(help: "One JSON document, for scripts.") var json = false
    @OptionGroup var service: ServiceOptions

    func validate() throws {
        if plan, check { throw ValidationError("--plan and --check are two questions: ask one of them.") }
    }

    func run() async throws {
        let answer = try await service.withService("storage") { storage in
            plan || check
                ? try await storage.json(ListMigrations())
                // A change of a large table takes its time.
                : try await storage.json(ApplyMigrations(), deadline: .seconds(600))
        }
        if json { Terminal.output.line(answer.description) }
        if plan || check {
            try show(answer.decode(ListMigrations.Result.self).migrations)
        } else if !json {
            let applied = try answer.decode(ApplyMigrations.Result.self).applied
            for number in applied { Terminal.output.line("Migration \(number) was applied.") }
            if applied.isEmpty { Terminal.output.line("Nothing to do: every migration is applied.") }
        }
    }

    private func show(_ migrations: [ListMigrations.Standing]) throws {
        let problems = migrations.flatMap { Self.problems(of: $0, isMissingOne: check) }
        if !json {
            if plan { migrations.filter { $0.state == .missing }.forEach(Self.show) }
            for problem in problems { Terminal.output.line(problem) }
            if problems.isEmpty, check || migrations.allSatisfy({ $0.state == .applied }) {
                Terminal.output.line("All \(migrations.count) migrations are applied, and none is wrong.")
            }
        }
        if check, !problems.isEmpty { throw ExitCode(1) }
    }

    private static func show(_ migration: ListMigrations.Standing) {
        Terminal.output.line("Migration \(migration.number) (\(migration.name)) would be applied.")
        for lock in migration.locks {
            if let excuse = lock.excuse { Terminal.output.line("  line \(lock.line): \(lock.why) Wanted: \(excuse)") }
        }
    }

    /// What is wrong with a migration, in sentences.
    static func problems(of migration: ListMigrations.Standing, isMissingOne: Bool = true) -> [String] {
        let place = "Migration \(migration.number) (\(migration.name))"
        var problems: [String] = []
        if let problem = migration.problem { problems.append(problem) }
        if isMissingOne, migration.state == .missing {
            problems.append("\(place) is missing. Apply it: octavo run migrate")
        }
        for lock in migration.locks where lock.excuse == nil {
            problems.append(
                "\(place), line \(lock.line): \(lock.why) If that is wanted, say why before it: -- locks: REASON"
            )
        }
        return problems
    }
}
