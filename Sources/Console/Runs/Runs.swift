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

            A run is one question with its answer; every question is kept. The states are in protocol/runs.md.
            """,
        subcommands: [
            RunsList.self, RunsShow.self, RunsFollow.self, RunsEnqueue.self, RunsCancel.self, RunsRetry.self,
            RunsLimit.self, RunsBudget.self, RunsPrice.self, RunsCosts.self,
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
              octavo runs list --json | jq -r '.runs[].id'

            Each line is a run's id, its state, when it was asked (UTC) and the question.
            """
    )

    @Option(
        help: ArgumentHelp(
            "Only those in this state: \(RunState.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "state"
        )
    ) var state: String?
    @Option(help: "How many runs to show, 1 to 100.") var limit = 20
    @Flag(help: "One JSON document, for scripts: {\"runs\":[…]} (protocol/storage.md).") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let chosen = state.flatMap(RunState.init)
        if let state, chosen == nil {
            throw Failure("There is no state \"\(state)\". Which there are: octavo help runs list")
        }
        let list = try await service.withService("storage") { storage in
            try await storage.json(ListRuns(state: chosen, limit: limit))
        }
        if json { return Terminal.output.line(list.description) }
        let runs = try list.decode(ListRuns.Result.self).runs
        if runs.isEmpty { Terminal.error.line(chosen == nil ? "Nothing was asked yet." : "There is none.") }
        for run in runs {
            let state = run.state.rawValue.padded(to: 9)
            let style: Terminal.Style = run.state == .failed ? .red : run.state == .succeeded ? .green : .dim
            let question = Terminal.harmless(run.question).replacing("\n", with: " ").prefix(80)
            Terminal.output.line("\(run.id)  \(Terminal.output.styled(state, style))  \(run.created)  \(question)")
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

            The bars are the parts of the run on one scale, in milliseconds from its start: what overlaps was done at the same \
            time. Below are its steps, the calls of models and tools, in milliseconds from when it was asked, with the tokens sent \
            and received; ░ is one whose end nobody told.
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
        out.line(out.styled("\(run.state.rawValue) · \(run.agent) · \(run.events) events · asked \(run.created)", .dim))
        if let trace = run.traceID, !trace.isEmpty { out.line(out.styled("trace \(trace)", .dim)) }
        if run.state == .waiting { out.line("It waits for its turn, or for a person: octavo approvals") }
        if let outcome = run.outcome {
            out.line()
            AnswerView(terminal: out).show(outcome)
        }
        for bars in [Bars.of(run.outcome?.timeline ?? []), Bars.of(run.steps)] where !bars.isEmpty {
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
