import ArgumentParser
import Contract
import RPC
import Wire

/// `octavo webhooks`.
struct Webhooks: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Who is told of runs that have ended.",
        discussion: """
              octavo webhooks add ci https://ci.example.com/hooks/octavo
              octavo webhooks test ci
              octavo webhooks deliveries --state dead

            Every message is signed as Standard Webhooks has it, by a secret that the agent runner alone knows. To make one:

              echo "ci=whsec_$(openssl rand -base64 32)" | sudo tee -a /etc/octavo/credentials/webhook-secrets
              sudo systemctl restart octavo-agent-runner

            What is sent, how often it is tried, and where it may lead, is in protocol/outbox.md.
            """,
        subcommands: [
            WebhooksList.self, WebhooksAdd.self, WebhooksRemove.self, WebhooksTest.self, WebhooksDeliveries.self,
            WebhooksRetry.self,
        ],
        defaultSubcommand: WebhooksList.self
    )
}

/// `octavo webhooks list`.
struct WebhooksList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Which webhooks there are, and what waits for them."
    )

    @Flag(help: "One JSON document, for scripts: {\"webhooks\":[…]} (protocol/storage.md).") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let list = try await service.withService("storage") { try await $0.json(ListWebhooks()) }
        if json { return Terminal.output.line(list.description) }
        let lines = try list.decode(ListWebhooks.Result.self).webhooks
        if lines.isEmpty { Terminal.error.line("There are no webhooks. Make one: octavo webhooks add NAME URL") }
        Terminal.output.table(
            ["NAME", "AGENT", "WAITING", "DEAD", "MISSED", "STATE", "URL"],
            lines.map { line in
                [
                    line.webhook.name, Terminal.harmless(line.webhook.agent ?? "all"), "\(line.waiting)",
                    "\(line.dead)",
                    "\(line.missed)", line.disabled == nil ? "on" : "off", Terminal.harmless(line.webhook.url),
                ]
            }
        )
        for line in lines {
            if let why = line.disabled { Terminal.error.line("\(line.webhook.name) is off: \(Terminal.harmless(why))") }
        }
    }
}

/// `octavo webhooks add`.
struct WebhooksAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Tell a URL of the runs that end from now on; also switches one on that was switched off."
    )

    @Argument(help: "Its name, by which its secret is found.") var name: String
    @Argument(help: "Where it is posted to, https://… on port 443; another port or http:// only inside the house.")
    var url: String
    @Option(help: "Only of this agent's runs.") var agent: String?
    @Option(parsing: .unconditional, help: ArgumentHelp("No more than so many a second.", valueName: "number"))
    var perSecond: Int?
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let webhook = Webhook(name: name, url: url, agent: agent, perSecond: perSecond)
        _ = try await service.withService("storage") { try await $0.perform(AddWebhook(webhook)) }
        let problems = await problems(of: webhook)
        Terminal.output.line(
            problems.isEmpty
                ? "Runs that end are told to \(name). Try it: octavo webhooks test \(name)"
                : "\(name) is a webhook now, but nothing can be told to it as things stand."
        )
        for problem in problems { Terminal.error.line("\(name): \(Terminal.oneLine(problem))") }
        await service.warn(about: agent)
    }

    /// Empty also where the agent runner does not answer: then nobody knows, and its name or network may be mended later.
    private func problems(of webhook: Webhook) async -> [String] {
        let found = try? await service.withService("agent-runner") {
            try await $0.perform(CheckWebhook(webhook), deadline: ServiceOptions.patience)
        }
        return found?.problems ?? []
    }
}

/// `octavo webhooks remove`.
struct WebhooksRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Tell webhooks nothing more; what waits for them is given up."
    )

    @Argument(help: "Their names.") var names: [String]
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        try await service.perform(forEach: names) { RemoveWebhook($0) }
    }
}

/// `octavo webhooks test`.
struct WebhooksTest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Send a message of the type webhook.test, and say how it fares."
    )

    @Argument(help: "The webhook's name.") var name: String
    @OptionGroup var service: ServiceOptions

    /// Longer than one attempt takes.
    private static let patience = Duration.seconds(20)

    func run() async throws {
        let found = try await service.withService("storage") { storage in
            let message = try await storage.perform(TestWebhook(name)).message
            let end = ContinuousClock.now + Self.patience
            while true {
                let list = ListDeliveries(message: message, limit: 1)
                let line = try await storage.perform(list).deliveries.first
                guard let line, line.attempt == 0 || line.state == .sending, .now < end else { return line }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
        guard let found, found.state != .sent else {
            return Terminal.output.line("\(name) has taken it (\(found?.status ?? 200)).")
        }
        let why =
            found.error.map(Terminal.harmless) ?? "nobody has sent it yet: is the agent runner there? octavo health"
        throw Failure("\(name) has not taken message \(found.message): \(why)")
    }
}

/// `octavo webhooks deliveries`.
struct WebhooksDeliveries: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deliveries",
        abstract: "What was sent and is to be sent, newest first.",
        discussion: """
              octavo webhooks deliveries ci --limit 5
              octavo webhooks deliveries --state dead --json | jq -r '.deliveries[].message' | xargs octavo webhooks retry
            """
    )

    @Argument(help: "Only those to this webhook.") var name: String?
    @Option(help: "Only those in this state: \(ListDeliveries.State.words).")
    var state: String?
    @Option(parsing: .unconditional, help: "Begin behind this message.") var before: Int?
    @Option(parsing: .unconditional, help: "How many, 1 to 100.") var limit = 20
    @Flag(help: "One JSON document, for scripts: {\"deliveries\":[…]} (protocol/storage.md).") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let chosen = state.flatMap(ListDeliveries.State.init)
        if let state, chosen == nil {
            throw Failure(
                "There is no state \"\(Terminal.oneLine(state))\". Which there are: octavo help webhooks deliveries"
            )
        }
        let list = ListDeliveries(webhook: name, state: chosen, before: before, limit: limit)
        let found = try await service.withService("storage") { storage in
            let found = try await storage.json(list)
            // Of one that was removed there may be deliveries still.
            if let name, try found.decode(ListDeliveries.Result.self).deliveries.isEmpty {
                let webhooks = try await storage.perform(ListWebhooks()).webhooks.map(\.webhook.name)
                guard webhooks.contains(name) else {
                    throw Failure("There is no webhook \"\(Terminal.oneLine(name))\". Which there are: octavo webhooks")
                }
            }
            return found
        }
        if json { return Terminal.output.line(found.description) }
        Terminal.output.table(
            ["MESSAGE", "WEBHOOK", "STATE", "TRIES", "STATUS", "CREATED", "RUN", "WHY"],
            try found.decode(ListDeliveries.Result.self).deliveries.map { line in
                [
                    "\(line.message)", line.webhook, line.state.rawValue, "\(line.attempt)",
                    line.status.map { "\($0)" } ?? "-", String(line.created.prefix(19)),
                    line.run.map { "\($0)" } ?? "-", line.state == .sent ? "" : Terminal.harmless(line.error ?? ""),
                ]
            }
        )
    }
}

/// `octavo webhooks retry`.
struct WebhooksRetry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Send messages that were given up once more."
    )

    @Argument(help: "Their numbers, as `octavo webhooks deliveries` shows them.") var messages: [Int]
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        try await service.perform(forEach: messages) { RetryDelivery($0) }
    }
}
