import ArgumentParser
import Contract
import RPC
import Wire

/// `octavo runs costs`.
struct RunsCosts: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "costs",
        abstract: "What runs have used and cost.",
        discussion: """
              octavo runs costs
              octavo runs costs --by reader --days 7

            In US dollars, the dearest first. Where no price is set (octavo runs price) the agent runner's counts, which knows those of \
            well-known models; calls whose price nobody knows are counted beside what the others cost.
            """
    )

    @Option(help: "By what they are summed: \(ListCosts.Key.words).") var by = "agent"
    @Option(parsing: .unconditional, help: "Only of the last days.") var days = 30
    @Flag(help: "One JSON document, for scripts: {\"costs\":[…]} (protocol/storage.md).") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        guard let key = ListCosts.Key(rawValue: by) else {
            throw Failure(
                "Costs are not summed by \"\(Terminal.oneLine(by))\". By what they are: octavo help runs costs"
            )
        }
        let list = try await service.withService("storage") { try await $0.json(ListCosts(by: key, days: days)) }
        if json { return Terminal.output.line(list.description) }
        let costs = try list.decode(ListCosts.Result.self).costs
        if costs.isEmpty { Terminal.error.line("No model was called in the last \(days) days.") }
        Terminal.output.table(
            ["COST", "CALLS", "NO PRICE", "SENT", "RECEIVED", by.uppercased()],
            costs.map { line in
                [
                    Dollars.words(line.cost), "\(line.requests)", "\(line.unpriced)", "\(line.inputTokens)",
                    "\(line.outputTokens)", Terminal.oneLine(line.key ?? "-"),
                ]
            }
        )
    }
}

/// `octavo runs price`.
struct RunsPrice: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "price",
        abstract: "Set what a model costs from a day on, per million tokens.",
        discussion: """
              octavo runs price gpt-5-mini 2026-01-31 --input 0.25 --cached 0.025 --output 2
              octavo runs price gpt-5-mini 2026-01-31

            Without prices that of the day is taken away. Which are set: octavo runs rules
            """
    )

    @Argument(help: "The model.") var model: String
    @Argument(help: "The day in UTC, as 2026-01-31.") var since: String
    @Option(parsing: .unconditional, help: "Dollars for tokens sent.") var input: Double?
    @Option(
        parsing: .unconditional,
        help: "Dollars for tokens sent that the provider has in its cache. (default: as the others)"
    ) var cached: Double?
    @Option(parsing: .unconditional, help: "Dollars for tokens received.") var output: Double?
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        guard (input == nil) == (output == nil), input != nil || cached == nil else {
            throw Failure("A price is --input and --output; without any price that of the day is taken away.")
        }
        for (option, price) in [("--input", input), ("--cached", cached), ("--output", output)] {
            try SetBudget.check(price ?? 0, option)
        }
        let price = SetPrice(model: model, since: since, input: input, cached: cached ?? input, output: output)
        _ = try await service.withService("storage") { try await $0.perform(price) }
    }
}

/// `octavo runs budget`.
struct RunsBudget: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "budget",
        abstract: "Set how much may be spent.",
        discussion: """
              octavo runs budget everybody --unit tokens --amount 1000000 --period day
              octavo runs budget news --agent release-notes --unit money --amount 5 --period month
              octavo runs budget everybody
              octavo runs rules

            A step that does not fit into all budgets that are meant is refused. Without --amount the budget is taken away. Which there \
            are, and what is used of them: octavo runs rules
            """
    )

    @Argument(help: "The budget's name.") var name: String
    @Option(help: "In what it is counted: \(SetBudget.Unit.words).") var unit: String?
    @Option(parsing: .unconditional, help: "How much; money is in US dollars.") var amount: Double?
    @Option(help: "How often it begins anew: each \(SetBudget.Period.words). (default: never)") var period: String?
    @Option(help: "Only this agent's runs.") var agent: String?
    @Option(help: "Only what this reader asks.") var reader: String?
    @Option(help: "Only what is asked there: \(Question.Channel.words).")
    var channel: String?
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        var budget = SetBudget(name: name, amount: amount)
        budget.unit = try Self.chosen(unit, "--unit")
        budget.period = try Self.chosen(period, "--period")
        budget.channel = try Self.chosen(channel, "--channel")
        budget.agent = agent
        budget.reader = reader
        if let amount {
            try SetBudget.check(amount, "--amount")
            guard unit != nil else { throw Failure("Say what is counted: --unit is one of \(SetBudget.Unit.words).") }
        }
        _ = try await service.withService("storage") { [budget] in try await $0.perform(budget) }
        await service.warn(about: agent)
    }

    private static func chosen<C: Choice>(_ word: String?, _ option: String) throws -> C? {
        guard let word else { return nil }
        guard let choice = C(rawValue: word) else {
            throw Failure("\(option) is one of \(C.words), not \"\(Terminal.oneLine(word))\".")
        }
        return choice
    }
}

extension SetBudget {
    /// Refuses what is no amount, such as nan: it could not even be sent.
    fileprivate static func check(_ amount: Double, _ option: String) throws {
        guard (0...most).contains(amount) else { throw Failure("\(option) has to be a number from 0 to \(Int(most)).") }
    }
}
