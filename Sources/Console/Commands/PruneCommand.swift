import ArgumentParser
import Contract
import RPC
import Wire

/// `octavo run prune`.
struct PruneCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Delete old questions, with their runs and events, and old idempotency keys.",
        discussion: """
            A question goes when its runs ended longer ago than that; idempotency keys go after 7 days.

              octavo run prune --days 90 --dry-run
            """
    )

    @Option(parsing: .unconditional, help: "Delete what is older, in days, 7 to 36500.") var days: Int
    @Flag(help: "Only count what would be deleted.") var dryRun = false
    @Flag(help: "One JSON document, for scripts.") var json = false
    @OptionGroup var service: ServiceOptions

    func validate() throws {
        guard (7...36_500).contains(days) else { throw ValidationError("--days has to be from 7 to 36500.") }
    }

    func run() async throws {
        let total = try await service.withService("storage") { storage in
            var total = Prune.Result()
            repeat {
                let part = try await storage.perform(Prune(days: days, isDryRun: dryRun), deadline: .seconds(300))
                total.add(part)
            } while total.more
            return total
        }
        if json { return Terminal.output.line(try JSON(encoding: total).description) }
        Terminal.output.line(
            "\(dryRun ? "Would delete" : "Deleted") \(total.questions) questions, \(total.runs) runs, "
                + "\(total.events) events and \(total.keys) idempotency keys."
        )
    }
}
