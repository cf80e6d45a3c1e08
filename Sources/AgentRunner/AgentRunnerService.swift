import Agents
import Configuration
import Contract
public import Daemon
import Logging
import NIOCore
import RPC
public import ServiceLifecycle
import Systemd
import Traces
import Wire

/// The agent runner: runs agents, and alone may reach the network. It reaches no Postgres.
public enum AgentRunnerService {
    /// What the process takes, for `--help`.
    public static let description = DaemonDescription(
        name: "octavo-agent-runner",
        version: octavoVersion,
        summary: "runs agents; asks model providers; reaches no Postgres.",
        sockets: [
            .required("gateway", "questions from the gateway"),
            .optional("admin", "health for administrators"),
        ],
        variables: [
            .optional("OCTAVO_STORAGE", "storage's socket (/run/octavo/storage-agent-runner.sock)"),
            .live(
                "OCTAVO_MODEL",
                "provider:model, several with commas; without one the built-in extractive model answers"
            ),
            .live("OCTAVO_AGENTS", "the folder of agents in YAML files (\(InstalledAgents.usualFolder))"),
            .optional("OCTAVO_RUNS", "the most runs at once (\(Runs.maximum)); each takes up to a hundred KB"),
            .live("OCTAVO_IDLE_SECONDS", "seconds without work after which it ends until it is called again (never)"),
            .live("OPENAI_BASE_URL", "an OpenAI-compatible endpoint (https://api.openai.com/v1)"),
            .live(
                "OPENAI_CALLS",
                "how many calls it is sent at once, others wait for their turn (no limit); OLLAMA_CALLS and so on alike"
            ),
            .live("OPENAI_API_KEY", "its key; better as a credential"),
            .live("ANTHROPIC_BASE_URL", "an endpoint for Anthropic's models (https://api.anthropic.com/v1)"),
            .live("ANTHROPIC_API_KEY", "its key; better as a credential"),
            .live("SLACK_BOT_TOKEN", "the token of the Slack app's bot; better as a credential"),
            .live("SLACK_BASE_URL", "another address of Slack's Web API (https://slack.com/api)"),
            .live("OCTAVO_WEBHOOK_NETWORKS", "networks inside the house that webhooks may lead to (none)"),
        ],
        credentials: [
            .live("openai-api-key", "the key of OpenAI, or of OPENAI_BASE_URL"),
            .live("anthropic-api-key", "the key of Anthropic"),
            .live("slack-bot-token", "the token of the Slack app's bot, xoxb-…"),
            .live("webhook-secrets", "the secrets of webhooks, NAME=whsec_… a line"),
        ]
    )

    /// Builds the services of the process.
    public static func compose(_ context: DaemonContext) throws -> [any Service] {
        context.watch { try await RPCEventLoop.shared.next().submit {}.get() }
        let spans = try context.spans(version: octavoVersion)
        let storage = RPCClient(
            path: context.config.string(forKey: "octavo.storage", default: "/run/octavo/storage-agent-runner.sock"),
            role: .agentRunner,
            name: "storage",
            logger: context.logger,
            recorder: spans.recorder
        )
        let agents = try agents(storage, context)
        let idle = context.idleExit
        idle.allow(try idleTime(context.config))
        context.onReload { config in
            let time = try idleTime(config)
            return { idle.allow(time) }
        }
        return try spans.services
            + services(
                listeners: [
                    (.gateway, context.listeners(named: "gateway").map(\.descriptor)),
                    (.admin, context.listeners(named: "admin").map(\.descriptor)),
                ].flatMap { role, descriptors in descriptors.map { RPCListener(role: role, address: .descriptor($0)) }
                },
                storage: storage,
                agents: agents,
                recorder: spans.recorder,
                context: context
            )
    }

    /// A file that cannot be used takes its agent away at the start, and nothing at a reload: then all stays as it was.
    private static func agents(_ storage: RPCClient, _ context: DaemonContext) throws -> AgentDirectory {
        let logger = context.logger
        let installed = try InstalledAgents(context.config, storage: storage, logger: logger)
        for problem in installed.problems { logger.error("agent not usable", metadata: ["reason": "\(problem)"]) }
        let directory = AgentDirectory([:])
        directory.use(installed, problems: installed.problems)
        context.onReload { config in
            let earlier = directory.providers
            let installed = try InstalledAgents(config, after: earlier, storage: storage, logger: logger)
            try installed.check()
            return { directory.use(installed) }
        }
        for agent in directory.list.agents {
            logger.info("agent", metadata: ["name": "\(agent.name)", "model": "\(agent.model)"])
        }
        return directory
    }

    private static func services(
        listeners: [RPCListener],
        storage: RPCClient,
        agents: AgentDirectory,
        recorder: SpanRecorder?,
        context: DaemonContext
    ) throws -> [any Service] {
        let seconds = context.config.int(forKey: "octavo.drain.seconds", default: 30)
        let teller = try teller(context)
        let maximum = try maximum(context.config)
        let runs = Runs(
            agents: agents,
            teller: teller,
            storage: storage,
            drain: .seconds(seconds * 2 / 3),
            maximum: maximum,
            recorder: recorder,
            logger: context.logger
        )
        let drain = Drain()
        let claims = ClaimLoop(runs: runs, storage: storage, drain: drain, logger: context.logger)
        let outbox = try outbox(runs.runner, storage: storage, drain: drain, recorder, context)
        var operations = operations(runs: runs, claims: claims, teller: teller)
        operations.administer(context) { agents.change }
        outbox.add(to: &operations)
        let server = RPCServer(
            listeners,
            operations: operations,
            limits: limits(maximum),
            logger: context.logger,
            drain: drain,
            recorder: recorder,
            onListening: context.announce("sockets")
        )
        context.idleExit.watch {
            // A drain ends with the process: nothing may end it but an administrator.
            guard runs.count + outbox.count == 0, !drain.isOn, let calls = server.activity else { return nil }
            return calls + runs.accepted + outbox.accepted
        } onEnd: {
            server.leaveForWantOfWork()
        }
        context.describe { server.summary("\(runs.count) \(runs.count == 1 ? "run" : "runs")") }
        // Stopped in reverse: no more claims, no more calls, then what was accepted is finished, then its connections end.
        return [storage, runs, server, outbox, claims]
    }

    /// A reader waits as long as a model thinks, and all who do have calls in flight. What such a call holds is its question,
    /// so the frames are small.
    private static func limits(_ maximum: Int) -> Limits {
        var limits = Limits.standard
        limits.frameBytes = 128 << 10
        limits.callsInFlight = 256
        limits.streamsOpen = 256
        // And for those who only want to see what there is.
        limits.callsInFlightInProcess = maximum + 64
        return limits
    }

    /// How many runs it carries out at once. For more, the unit grants too few descriptors.
    private static func maximum(_ config: ConfigReader) throws(ConfigurationError) -> Int {
        guard let given = config.string(forKey: "octavo.runs") else { return Runs.maximum }
        guard let maximum = Int(given), (1...16_384).contains(maximum) else {
            throw ConfigurationError("OCTAVO_RUNS is \"\(given)\"; it has to be a number from 1 to 16384.")
        }
        return maximum
    }

    /// Who tells readers in Slack.
    private static func teller(_ context: DaemonContext) throws -> SlackTeller {
        let teller = SlackTeller(try SlackTeller.client(context.config), logger: context.logger)
        context.onReload { config in
            let client = try SlackTeller.client(config)
            return { teller.use(client) }
        }
        return teller
    }

    /// What is said to the outside.
    private static func outbox(
        _ runner: String,
        storage: RPCClient,
        drain: Drain,
        _ recorder: SpanRecorder?,
        _ context: DaemonContext
    ) throws -> OutboxLoop {
        let outbox = OutboxLoop(
            runner: runner,
            storage: storage,
            sender: try WebhookSender(context.config),
            drain: drain,
            recorder: recorder,
            logger: context.logger
        )
        context.onReload { config in
            let sender = try WebhookSender(config)
            return { outbox.use(sender) }
        }
        return outbox
    }

    /// Nil for never. Below a second it would rather start and end than work.
    private static func idleTime(_ config: ConfigReader) throws(ConfigurationError) -> Duration? {
        guard let given = config.string(forKey: "octavo.idle.seconds") else { return nil }
        guard let seconds = Int(given), (1...86_400).contains(seconds) else {
            throw ConfigurationError("OCTAVO_IDLE_SECONDS is \"\(given)\"; it has to be a number from 1 to 86400.")
        }
        return .seconds(seconds)
    }

    /// The service's table.
    static func operations(runs: Runs, claims: ClaimLoop, teller: SlackTeller) -> Operations {
        var operations = Operations(service: "agent-runner", version: octavoVersion)
        operations.onStream(StartRun.self) { start, call, items in
            try start.question.check()
            try start.run.check()
            try start.policy.check()
            try teller.check(start.slack)
            let feed = try runs.accept(
                start.run,
                agent: start.agent,
                question: start.question,
                origin: .live(
                    start.policy,
                    slack: start.slack,
                    isWatched: start.isWatched,
                    isNew: start.isNew ?? false
                ),
                trace: call.traceparent,
                asker: call.callerTraceparent
            )
            guard feed.first == 1 else {
                throw ServiceError(
                    .aborted,
                    "The run was begun by another runner; its first events are in storage.",
                    retry: .safe
                )
            }
            var position = 0
            var last: JSON?
            while let events = try await feed.events(from: position) {
                // Who waits for the end alone is told of the beginning too: so it is known that there is a run.
                for event in start.isWatched ? events : events.prefix(position == 0 ? 1 : 0) {
                    try await items.send(json: event)
                }
                position += events.count
                last = events.last
            }
            if !start.isWatched, position > 1, let last { try await items.send(json: last) }
            return Done()
        }
        // It passes on what the run says, which happens there too.
        operations.runOnEventLoop(StartRun.self)
        operations.on(ListAgents.self) { _, _ in runs.agents.list }
        operations.health {
            let providers = runs.agents.providers
            let own = [
                "runs": runs.count, "models.failing": providers?.failingModels ?? 0,
                "models.waiting": providers?.waitingCalls ?? 0,
            ]
            return ServiceCondition(
                reasons: claims.isOffered ? [] : ["storage is away"],
                warnings: providers?.troubles ?? [],
                gauges: teller.gauges.merging(own) { $1 }
            )
        }
        return operations
    }
}
