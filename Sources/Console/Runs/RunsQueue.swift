import ArgumentParser
import Contract
import RPC
import Wire

/// `octavo runs enqueue`.
struct RunsEnqueue: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enqueue",
        abstract: "Ask for later: the run is stored, and carried out when a runner has time for it.",
        discussion: """
              octavo runs enqueue "How long may a frame be?"
              octavo runs enqueue "What is new?" --delay 3600 --lane news

            Prints the run's id. What became of it: octavo runs follow RUN
            """
    )

    @Argument(help: "The question.") var question: String
    @Option(help: "The agent that is asked.") var agent = "documentation"
    @Option(parsing: .unconditional, help: "0 to 3; a step counts as a minute of waiting. (default: 1)") var priority:
        Int?
    @Option(parsing: .unconditional, help: ArgumentHelp("Not before this time is over.", valueName: "seconds"))
    var delay: Double?
    @Option(parsing: .unconditional, help: ArgumentHelp("Give up when this time is over.", valueName: "seconds"))
    var deadline: Double?
    @Option(help: "Runs of one lane go one after another.") var lane: String?
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        var enqueue = EnqueueRun(run: .new(), agent: agent, question: Question(text: question, channel: .terminal))
        enqueue.priority = priority
        enqueue.lane = lane
        enqueue.delayMilliseconds = try Self.milliseconds(delay, "--delay")
        enqueue.deadlineMilliseconds = try Self.milliseconds(deadline, "--deadline")
        let accepted = try await service.withService("storage") { [enqueue] in try await $0.perform(enqueue) }
        Terminal.output.line("\(accepted.run)")
        await service.warn(about: agent)
    }

    private static func milliseconds(_ seconds: Double?, _ option: String) throws -> Int? {
        guard let seconds else { return nil }
        let most = Double(EnqueueRun.longestMilliseconds) / 1_000
        guard (0...most).contains(seconds) else { throw Failure("\(option) has to be from 0 to \(Int(most)) seconds.") }
        return Int((seconds * 1_000).rounded())
    }
}

/// `octavo runs follow`.
struct RunsFollow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "follow",
        abstract: "The events of a run, those past and those to come, until it has ended.",
        discussion: """
              octavo runs follow 01985f2c-7d3e-7c41-9a5b-2f1e8d6c4b3a
              octavo runs follow 01985f2c-7d3e-7c41-9a5b-2f1e8d6c4b3a --after 3 | jq -r .type

            Each line is an event as JSON (protocol/agent-runner.md), the same bytes however often it is followed. It goes on when \
            storage is started again meanwhile.
            """
    )

    @Argument(help: "The run's id, as `octavo runs list` shows it.") var run: String
    @Option(parsing: .unconditional, help: "Only the events behind this number.") var after = 0
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let run = try RunID(argument: run)
        try await service.withService("storage") { storage in
            let out = Terminal.output
            // Whoever looks at it sees what is there; a program gets the bytes that were stored, which say the same.
            try await storage.events(of: run, after: after) {
                out.line(out.isInteractive ? Terminal.exact($0.description) : $0.description)
            }
        }
    }
}

/// `octavo runs cancel`.
struct RunsCancel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "End runs whatever state they are in, and the runs they have begun.",
        discussion: """
              octavo runs cancel 01985f2c-7d3e-7c41-9a5b-2f1e8d6c4b3a

            Their work stops within a second.
            """
    )

    @Argument(help: "The runs' ids, as `octavo runs list` shows them.") var runs: [String]
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let ids = try runs.map(RunID.init(argument:))
        try await service.perform(forEach: ids) { CancelRun(run: $0) }
    }
}

/// `octavo runs retry`.
struct RunsRetry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Ask the questions of runs that have ended once more, as new runs.",
        discussion: """
              octavo runs retry 01985f2c-7d3e-7c41-9a5b-2f1e8d6c4b3a
              octavo runs list --state failed --json | jq -r '.runs[].id' | xargs octavo runs retry

            Prints the ids of the new runs. The old ones stay as they ended.
            """
    )

    @Argument(help: "The runs' ids, as `octavo runs list` shows them.") var runs: [String]
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let ids = try runs.map(RunID.init(argument:))
        try await service.perform(forEach: ids, { RetryRun(run: $0) }) { Terminal.output.line("\($0.run)") }
    }
}

/// `octavo runs limit`.
struct RunsLimit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limit",
        abstract: "Limit how many runs of an agent are given out, over all hosts.",
        discussion: """
              octavo runs limit documentation --concurrent 4
              octavo runs limit documentation --starts 100 --seconds 60
              octavo runs limit documentation

            What is left out is not limited: the last line takes every limit away. Runs whose reader waits are \
            not held up, but those under way count.
            """
    )

    @Argument(help: "The agent.") var agent: String
    @Option(parsing: .unconditional, help: "So many at a time; 0 holds them all.") var concurrent: Int?
    @Option(parsing: .unconditional, help: "So many begun in any time of --seconds.") var starts: Int?
    @Option(parsing: .unconditional, help: "The time that --starts are counted over, in seconds.") var seconds: Int?
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let limit = LimitRuns(agent: agent, concurrent: concurrent, starts: starts, seconds: seconds)
        _ = try await service.withService("storage") { try await $0.perform(limit) }
        if concurrent != nil || starts != nil { await service.warn(about: agent) }
    }
}
