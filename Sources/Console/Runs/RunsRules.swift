import ArgumentParser
import Contract
import RPC
import Wire

/// `octavo runs rules`.
struct RunsRules: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules",
        abstract: "What was set: budgets and what is used of them, limits, prices, conducts, approvals.",
        discussion: """
              octavo runs rules
              octavo runs rules --json | jq -r '.budgets[] | select(.used >= .budget.amount).budget.name'

            Each kind is a table of its own. Money is in US dollars, prices are per million tokens. They are set with octavo runs \
            budget, runs limit, runs price, conversations conduct and approvals require.
            """
    )

    @Flag(help: "One JSON document, for scripts: {\"budgets\":[…],\"limits\":[…],…} (protocol/storage.md).") var json =
        false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let found = try await service.withService("storage") { try await $0.json(ListRules()) }
        if json { return Terminal.output.line(found.description) }
        let rules = try found.decode(ListRules.Result.self)
        let tables = [
            Self.budgets(rules.budgets), Self.limits(rules.limits), Self.prices(rules.prices),
            Self.conducts(rules.conducts), Self.approvals(rules.approvals),
        ].filter { !$0.rows.isEmpty }
        if tables.isEmpty { Terminal.error.line("Nothing is set.") }
        for (number, table) in tables.enumerated() {
            if number > 0 { Terminal.output.line() }
            Terminal.output.table(table.head, table.rows)
        }
    }

    private struct Table {
        var head: [String]
        var rows: [[String]]
    }

    private static func budgets(_ lines: [ListRules.Budget]) -> Table {
        Table(head: ["BUDGET", "OF", "UNIT", "USED", "AMOUNT", "PERIOD", "UNTIL"], rows: lines.map(row))
    }

    private static func limits(_ limits: [LimitRuns]) -> Table {
        Table(
            head: ["LIMITED AGENT", "AT A TIME", "STARTS"],
            rows: limits.map { limit in
                let starts = limit.starts.map { "\($0) in \(limit.seconds ?? 0) s" }
                return [Terminal.oneLine(limit.agent), limit.concurrent.map { "\($0)" } ?? "-", starts ?? "-"]
            }
        )
    }

    private static func prices(_ prices: [SetPrice]) -> Table {
        Table(
            head: ["PRICED MODEL", "SINCE", "SENT", "CACHED", "RECEIVED"],
            rows: prices.map { price in
                [Terminal.oneLine(price.model), price.since]
                    + [price.input, price.cached, price.output].map { $0.map(Dollars.words) ?? "-" }
            }
        )
    }

    private static func conducts(_ conducts: [ListRules.Conduct]) -> Table {
        Table(
            head: ["AGENT IN CONVERSATIONS", "CONDUCT", "SAID BY"],
            rows: conducts.map { line in
                [
                    Terminal.oneLine(line.conduct.agent), line.conduct.doubleText?.rawValue ?? "-",
                    line.isOfFile ? "its file" : "an administrator",
                ]
            }
        )
    }

    private static func approvals(_ rules: [RequireApproval]) -> Table {
        Table(
            head: ["AGENT WITH APPROVALS", "TOOL", "WITHIN"],
            rows: rules.map { rule in
                let within = rule.seconds.map { Lifetime(seconds: $0).description } ?? "-"
                return [Terminal.oneLine(rule.agent), Terminal.oneLine(rule.tool), within]
            }
        )
    }

    private static func row(_ line: ListRules.Budget) -> [String] {
        let budget = line.budget
        let whose = [
            budget.agent.map { "agent \($0)" }, budget.reader.map { "reader \($0)" },
            budget.channel.map { "channel \($0.rawValue)" },
        ].compactMap(\.self).joined(separator: ", ")
        func amount(_ number: Double) -> String {
            if budget.unit == .money { return Dollars.words(number) }
            return Int(exactly: number.rounded()).map { "\($0)" } ?? "\(number)"
        }
        return [
            Terminal.oneLine(budget.name), whose.isEmpty ? "everybody" : Terminal.oneLine(whose),
            budget.unit?.rawValue ?? "-", amount(line.used), budget.amount.map(amount) ?? "-",
            budget.period?.rawValue ?? "ever",
            line.until.map { String($0.prefix(16)).replacing("T", with: " ") } ?? "-",
        ]
    }
}

/// Money for people.
enum Dollars {
    /// `$0.0085`: to a hundredth of a cent, which a call of a small model costs, less with two digits that say something, and without
    /// zeros that say nothing beyond cents.
    static func words(_ amount: Double) -> String {
        var (places, scale) = (4, 10_000)
        while amount > 0, amount * Double(scale) < 9.5, places < 12 { (places, scale) = (places + 1, scale * 10) }
        guard let whole = Int(exactly: (amount * Double(scale)).rounded()), whole != 0 || amount == 0 else {
            return "$\(amount)"
        }
        var digits = String(whole % scale)
        digits = String(repeating: "0", count: places - digits.count) + digits
        while digits.count > 2, digits.hasSuffix("0") { digits.removeLast() }
        return "$\(whole / scale).\(digits)"
    }
}
