import ArgumentParser
import Contract
import RPC
import Wire

/// `octavo schedules`.
struct Schedules: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Questions and commands that begin at set times.",
        discussion: """
              octavo schedules add news --cron "0 7 * * mon-fri" --zone Europe/Berlin --ask "What is new?"
              octavo schedules add tidy --cron @daily -- prune --days 90
              octavo schedules next news
              octavo schedules

            Each tick begins one run, on however many hosts Octavo runs: octavo runs list. What the expressions mean, and what \
            happens when clocks are changed, is in protocol/schedules.md.
            """,
        subcommands: [
            SchedulesList.self, SchedulesAdd.self, SchedulesRemove.self, SchedulesPause.self, SchedulesResume.self,
            SchedulesNext.self, SchedulesFire.self, SchedulesWork.self,
        ],
        defaultSubcommand: SchedulesList.self
    )
}

/// `octavo schedules list`.
struct SchedulesList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Which schedules there are, and when each is due. Times are UTC."
    )

    @Flag(help: "One JSON document a page, for scripts: {\"schedules\":[…]} (protocol/storage.md).") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let lines = try await service.withService("storage") { storage in
            var lines: [ListSchedules.Result.Line] = []
            var after: String? = ""
            while let name = after {
                let page = try await storage.json(ListSchedules(after: name))
                if json { Terminal.output.line(page.description) }
                let result = try page.decode(ListSchedules.Result.self)
                lines += result.schedules
                after = result.next
            }
            return lines
        }
        if json { return }
        if lines.isEmpty { Terminal.error.line("There are no schedules. Make one: octavo help schedules add") }
        Terminal.output.table(
            ["NAME", "CRON", "ZONE", "NEXT", "LAST", "MISSED", "WHAT"],
            lines.map { line in
                let schedule = line.schedule
                let what = schedule.command.map { "octavo run " + CommandRun.question($0) } ?? schedule.question ?? ""
                return [
                    Terminal.oneLine(schedule.name), schedule.cron, schedule.zone,
                    line.paused ? "paused" : Self.minute(line.next), Self.minute(line.last), "\(line.missed)",
                    String(Terminal.oneLine(what).prefix(60)),
                ]
            }
        )
    }

    /// `2026-01-31 12:00`.
    private static func minute(_ time: String?) -> String {
        time.map { String($0.prefix(16)).replacing("T", with: " ") } ?? "-"
    }
}

/// `octavo schedules add`.
struct SchedulesAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Make a schedule of a question, or of a command of `octavo run`.",
        discussion: """
              octavo schedules add news --cron "0 7 * * mon-fri" --zone Europe/Berlin --ask "What is new?"
              octavo schedules add books --cron "30 2 * * *" -- books-refresh

            The command and its words come after `--`, and are looked over at once. Where nothing runs at the time of a tick, \
            --catch-up says what becomes of it afterwards: none, last (the latest one) or all (the latest --most).
            """
    )

    @Argument(help: "Its name.") var name: String
    @Option(help: "When: minute, hour, day of the month, month, day of the week; or @daily, @hourly, ….") var cron:
        String
    @Option(help: "The time zone, such as Europe/Berlin.") var zone = "UTC"
    @Option(help: ArgumentHelp("The question.", valueName: "question")) var ask: String?
    @Option(help: "The agent that is asked.") var agent = "documentation"
    @Option(parsing: .unconditional, help: "0 to 3; a step counts as a minute of waiting. (default: 1)") var priority:
        Int?
    @Option(parsing: .unconditional, help: "How often a run may fail. (default: 5, for a command 1)") var tries: Int?
    @Option(parsing: .unconditional, help: "A run that takes longer fails, such as 10m.") var deadline: Lifetime?
    @Option(help: "none, last or all.") var catchUp = "last"
    @Option(parsing: .unconditional, help: "With --catch-up all: at most so many. (default: 10)") var most: Int?
    @Argument(parsing: .postTerminator, help: "A command of `octavo run` with its words.") var command: [String] = []
    @Flag(help: "One JSON document, for scripts (protocol/storage.md).") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        guard let catchUp = Schedule.CatchUp(rawValue: catchUp) else {
            throw Failure("--catch-up is none, last or all, not \"\(Terminal.harmless(catchUp))\".")
        }
        var schedule = try what()
        schedule.priority = priority
        schedule.tries = tries
        schedule.deadlineMilliseconds = deadline.map { $0.seconds.multipliedReportingOverflow(by: 1_000).partialValue }
        schedule.catchUp = catchUp
        schedule.catchUpMost = most
        let made = try await service.withService("storage") { [schedule] in try await $0.json(AddSchedule(schedule)) }
        if command.isEmpty { await service.warn(about: agent) }
        if json { return Terminal.output.line(made.description) }
        let result = try made.decode(AddSchedule.Result.self)
        Terminal.output.line("\(Terminal.harmless(name)) is due \(result.isNew ? "first" : "next") at \(result.next).")
    }

    private func what() throws -> Schedule {
        switch (ask, command.first) {
        case (let question?, nil):
            return Schedule(name: name, cron: cron, zone: zone, agent: agent, question: question)
        case (nil, let first?):
            try RunCommand.check(first, Array(command.dropFirst()))
            return Schedule(name: name, cron: cron, zone: zone, command: command)
        default: throw Failure("Say what is to be done: --ask \"…\", or -- and a command of `octavo run`.")
        }
    }
}

/// `octavo schedules remove`.
struct SchedulesRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Take schedules away; the runs they have begun stay."
    )

    @Argument(help: "Their names.") var names: [String]
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        try await service.perform(forEach: names) { RemoveSchedule($0) }
    }
}

/// `octavo schedules pause`.
struct SchedulesPause: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Fire nothing of these schedules until they are resumed."
    )

    @Argument(help: "Their names.") var names: [String]
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        try await service.perform(forEach: names) { PauseSchedule($0, paused: true) }
    }
}

/// `octavo schedules resume`.
struct SchedulesResume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Go on with the next tick; those of the pause are not caught up with."
    )

    @Argument(help: "Their names.") var names: [String]
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        try await service.perform(forEach: names) { PauseSchedule($0, paused: false) }
    }
}

/// `octavo schedules next`.
struct SchedulesNext: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "next",
        abstract: "When a schedule is due, or would be.",
        discussion: """
              octavo schedules next news --count 10
              octavo schedules next --cron "30 2 * * *" --zone Europe/Berlin

            Each line is the time in UTC, and what clocks in the zone show then.
            """
    )

    @Argument(help: "A schedule.") var name: String?
    @Option(help: "Or an expression.") var cron: String?
    @Option(help: "And its time zone.") var zone: String?
    @Option(parsing: .unconditional, help: "How many times, 1 to 100.") var count = 5
    @Flag(help: "One JSON document, for scripts: {\"ticks\":[…]} (protocol/storage.md).") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let next = NextTicks(schedule: name, cron: cron, zone: zone, count: count)
        let found = try await service.withService("storage") { try await $0.json(next) }
        if json { return Terminal.output.line(found.description) }
        for tick in try found.decode(NextTicks.Result.self).ticks {
            Terminal.output.line("\(tick.at)  \(tick.local)")
        }
    }
}

/// `octavo schedules fire`.
struct SchedulesFire: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fire",
        abstract: "Begin a schedule's run now, beside its times; prints the run's id."
    )

    @Argument(help: "Its name.") var name: String
    @Flag(help: "One JSON document, for scripts (protocol/storage.md).") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let fire = FireSchedule(name)
        let fired = try await service.withService("storage") { try await $0.json(fire) }
        if json { return Terminal.output.line(fired.description) }
        Terminal.output.line("\(try fired.decode(FireSchedule.Result.self).run)")
    }
}
