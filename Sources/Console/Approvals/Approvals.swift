import AgentFiles
import ArgumentParser
import Contract
import RPC
import Wire

/// `octavo approvals`.
struct Approvals: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Calls of tools that wait for a person.",
        discussion: """
              octavo approvals require documentation order --within 8h
              octavo approvals
              octavo approvals approve 7
              octavo approvals deny 8 --because "We have enough of them."

            A run waits until somebody has decided, or the time is over. What is approved is one call with exactly the arguments \
            that are shown, where \\u… stands for a character that cannot be seen; it is used up by that call. What is required of \
            an agent counts for all its runs, and wherever another asks it or consists of it. What is required: octavo runs rules
            """,
        subcommands: [
            ApprovalsList.self, ApprovalsApprove.self, ApprovalsDeny.self, ApprovalsRequire.self, ApprovalsTrust.self,
        ],
        defaultSubcommand: ApprovalsList.self
    )
}

/// `octavo approvals list`.
struct ApprovalsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "What waits for somebody; with --all also what was decided."
    )

    @Flag(help: "Also what was decided, and what its time ran out for.") var all = false
    @Option(parsing: .unconditional, help: "How many, 1 to 100.") var limit = 20
    @Flag(help: "One JSON document, for scripts: {\"approvals\":[…]} (protocol/storage.md).") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let list = ListApprovals(state: all ? nil : .pending, limit: limit)
        let found = try await service.withService("storage") { try await $0.json(list) }
        if json { return Terminal.output.line(found.description) }
        let out = Terminal.output
        let lines = try found.decode(ListApprovals.Result.self).approvals
        if lines.isEmpty { Terminal.error.line("Nothing waits for anybody.") }
        for line in lines {
            let by = line.by.map { " by \(Terminal.oneLine($0))" } ?? " until \(line.expires)"
            out.line(out.styled("\(line.approval)  \(line.state.rawValue)\(by)", .bold))
            out.line("   \(Terminal.oneLine(line.agent)) calls \(Terminal.oneLine(line.tool)) with")
            // All of it: who approves has to see what. And each on one line, so that none looks like another.
            out.line("   \(Terminal.exact(line.arguments))")
            if let why = line.why { out.line("   \(Terminal.oneLine(why))") }
            if let reason = line.reason { out.line("   \(line.state.rawValue) because: \(Terminal.oneLine(reason))") }
            out.line(out.styled("   for run \(line.run): \(Terminal.oneLine(line.question))", .dim))
        }
    }
}

/// `octavo approvals approve`.
struct ApprovalsApprove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approve",
        abstract: "Let the tool be called once, with what is shown."
    )

    @Argument(help: "The approval's number.") var approval: Int
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let decide = DecideApproval(approval, approve: true)
        _ = try await service.withService("storage") { try await $0.perform(decide) }
    }
}

/// `octavo approvals deny`.
struct ApprovalsDeny: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deny",
        abstract: "Do not let the tool be called; the run goes on without it."
    )

    @Argument(help: "The approval's number.") var approval: Int
    @Option(help: ArgumentHelp("Why: the model is told.", valueName: "reason")) var because: String?
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let decide = DecideApproval(approval, approve: false, reason: because)
        _ = try await service.withService("storage") { try await $0.perform(decide) }
    }
}

/// `octavo approvals require`.
struct ApprovalsRequire: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "require",
        abstract: "Have a person approve each call of a tool."
    )

    @Argument(help: "The agent.") var agent: String
    @Argument(help: "The tool, as a model calls it or as an agent's file names it.") var tool: String
    @Option(parsing: .unconditional, help: "How long they have, such as 8h.") var within = Lifetime(minutes: 24 * 60)
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let require = RequireApproval(agent: agent, tool: ToolName(tool)?.callName ?? tool, seconds: within.seconds)
        _ = try await service.withService("storage") { try await $0.perform(require) }
        await service.warn(about: agent)
    }
}

/// `octavo approvals trust`.
struct ApprovalsTrust: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trust",
        abstract: "Let a tool be called without anybody's approval again."
    )

    @Argument(help: "The agent.") var agent: String
    @Argument(help: "The tool, as a model calls it or as an agent's file names it.") var tool: String
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let require = RequireApproval(agent: agent, tool: ToolName(tool)?.callName ?? tool, seconds: nil)
        _ = try await service.withService("storage") { try await $0.perform(require) }
    }
}
