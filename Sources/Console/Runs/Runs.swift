import ArgumentParser
import Contract
import RPC
import Wire

/// `octavo runs`.
struct Runs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "What was asked, and what became of it.",
        discussion: """
              octavo runs
              octavo runs show 01985f2c-…
              octavo runs list --state failed
              octavo runs retry 01985f2c-…
              octavo runs rules

            A run is one question with its answer; every question is kept. The states are in protocol/runs.md.
            """,
        subcommands: [
            RunsList.self, RunsShow.self, RunsFollow.self, RunsEnqueue.self, RunsCancel.self, RunsRetry.self,
            RunsLimit.self, RunsBudget.self, RunsPrice.self, RunsRules.self, RunsCosts.self,
        ],
        defaultSubcommand: RunsList.self
    )
}

/// `octavo runs list`.
struct RunsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "The latest runs, newest first.",
        discussion: """
              octavo runs list --limit 5
              octavo runs list --state failed
              octavo runs list --limit 100 --before 01985f2c-7d3e-7c41-9a5b-2f1e8d6c4b3a
              octavo runs list --json | jq -r '.runs[].id'

            Each line is a run's id, its state, its agent, when it was asked (UTC) and the question. With --before \
            come those that were asked before that run.
            """
    )

    @Option(
        help: ArgumentHelp(
            "Only those in this state: \(RunState.words).",
            valueName: "state"
        )
    ) var state: String?
    @Option(help: ArgumentHelp("Begin behind this run.", valueName: "run")) var before: String?
    @Option(parsing: .unconditional, help: "How many runs to show, 1 to 100.") var limit = 20
    @Flag(help: "One JSON document, for scripts: {\"runs\":[…]} (protocol/storage.md).") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let chosen = state.flatMap(RunState.init)
        if let state, chosen == nil {
            throw Failure("There is no state \"\(Terminal.oneLine(state))\". Which there are: octavo help runs list")
        }
        let list = ListRuns(state: chosen, before: try before.map(RunID.init(argument:)), limit: limit)
        let found = try await service.withService("storage") { try await $0.json(list) }
        if json { return Terminal.output.line(found.description) }
        let runs = try found.decode(ListRuns.Result.self).runs
        if runs.isEmpty {
            Terminal.error.line(chosen == nil && before == nil ? "Nothing was asked yet." : "There is none.")
        }
        Terminal.output.table(
            ["RUN", "STATE", "AGENT", "ASKED", "QUESTION"],
            runs.map { run in
                [
                    "\(run.id)", run.state.rawValue, Terminal.oneLine(run.agent), run.created,
                    String(Terminal.oneLine(run.question).prefix(80)),
                ]
            }
        ) { row, column in
            guard column == 1 else { return nil }
            return runs[row].state == .failed ? .red : runs[row].state == .succeeded ? .green : .dim
        }
        if runs.count == limit, let last = runs.last {
            let same = state.map { " --state \($0)" } ?? ""
            Terminal.error.line("There may be more: octavo runs list\(same) --limit \(limit) --before \(last.id)")
        }
    }
}

/// `octavo runs show`.
struct RunsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "One run: its question, its answer, and when its parts took place.",
        discussion: """
              octavo runs show 01985f2c-7d3e-7c41-9a5b-2f1e8d6c4b3a

            The bars are the parts of the run, and below them its steps, the calls of models and tools, with the tokens sent and \
            received. All are on one scale, in milliseconds from when the first of them began: what overlaps was done at the same \
            time. ░ is a step whose end nobody told.
            """
    )

    @Argument(help: "The run's id, as `octavo runs list` shows it.") var run: String
    @Flag(help: "One JSON document, for scripts (protocol/storage.md).") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let id = try RunID(argument: run)
        let found = try await service.withService("storage") { try await $0.json(GetRun(run: id)) }
        if json { return Terminal.output.line(found.description) }
        show(try found.decode(GetRun.Result.self))
    }

    private func show(_ run: GetRun.Result) {
        let out = Terminal.output
        out.line(out.styled(Terminal.harmless(run.question.text), .bold))
        let events = run.events == 1 ? "1 event" : "\(run.events) events"
        let agent = Terminal.oneLine(run.agent)
        out.line(out.styled("\(run.state.rawValue) · \(agent) · \(events) · asked \(run.created)", .dim))
        let order = [
            run.due.map { "due \($0)" }, run.priority.map { "priority \($0)" },
            run.lane.map { "lane \(Terminal.oneLine($0))" }, run.deadline.map { "fails at \($0)" },
        ]
        if order.contains(where: { $0 != nil }) {
            out.line(out.styled(order.compactMap(\.self).joined(separator: " · "), .dim))
        }
        if let earlier = run.retryOf { out.line(out.styled("asks once more what run \(earlier) asked", .dim)) }
        if let trace = run.traceID, !trace.isEmpty { out.line(out.styled("trace \(trace)", .dim)) }
        if run.state == .waiting { out.line("It waits for its turn, or for a person: octavo approvals") }
        if let outcome = run.outcome {
            out.line()
            AnswerView(terminal: out).show(outcome)
        }
        for bars in Bars.of(run) {
            out.line()
            for bar in bars { out.line(bar) }
        }
    }
}

extension RunID {
    /// As somebody wrote it on the command line.
    init(argument: String) throws {
        guard let id = RunID(argument) else {
            throw Failure("A run's id is a UUID of version 7, not \"\(argument)\". Which there are: octavo runs list")
        }
        self = id
    }
}

extension String {
    /// With spaces behind it up to a width.
    func padded(to width: Int) -> String {
        count >= width ? self : self + String(repeating: " ", count: width - count)
    }
}
