import Configuration
import Contract
public import Daemon
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import RPC
public import ServiceLifecycle
import Systemd
import Traces
import Wire

/// The gateway: HTTP in, questions to the agent runner, everything else to storage. It reaches neither the network nor
/// Postgres.
public enum GatewayService {
    /// What the process takes, for `--help`.
    public static let description = DaemonDescription(
        name: "octavo-gateway",
        version: octavoVersion,
        summary: "answers over HTTP; reaches neither the network nor Postgres.",
        sockets: [
            .required("http", "listening socket for HTTP"),
            .optional("admin", "health for administrators"),
        ],
        variables: [
            .optional("OCTAVO_STORAGE", "storage's socket (/run/octavo/storage-gateway.sock)"),
            .optional("OCTAVO_AGENT_RUNNER", "the agent runner's socket (/run/octavo/agent-runner-gateway.sock)"),
            .live("OCTAVO_HTTP_KEYS", "who needs a key: beyond-loopback (the default) or always"),
        ]
    )

    /// Builds the services of the process.
    public static func compose(_ context: DaemonContext) throws -> [any Service] {
        context.watch { try await RPCEventLoop.shared.next().submit {}.get() }
        let storagePath = context.config.string(
            forKey: "octavo.storage",
            default: "/run/octavo/storage-gateway.sock"
        )
        let runnerPath = context.config.string(
            forKey: "octavo.agent.runner",
            default: "/run/octavo/agent-runner-gateway.sock"
        )
        let spans = try context.spans(version: octavoVersion)
        let client: (String, String) -> RPCClient = { [recorder = spans.recorder] service, path in
            RPCClient(path: path, role: .gateway, name: service, logger: context.logger, recorder: recorder)
        }
        let storage = client("storage", storagePath)
        let keys = client("storage", storagePath)
        let drain = Drain()
        let entrance = Entrance(
            try rule(context.config),
            drain: drain,
            logger: context.logger
        ) { check throws(ServiceError) in _ = try await keys.perform(check, deadline: .seconds(5)) }
        context.onReload { config in
            let rule = try rule(config)
            return { entrance.follow(rule) }
        }
        let follower = RunFollower(
            runner: LongCalls { client("agent runner", runnerPath) },
            storage: LongCalls { client("storage", storagePath) }
        )
        let neighbours = Neighbours(
            [("storage", storagePath), ("agent runner", runnerPath)].map { ($0, client($0, $1)) }
        ) { name in
            let used = name == "storage" ? follower.storage.clients : follower.runner.clients
            return used.contains { $0.presence == .connected }
        }
        let open = OpenConnections()
        var operations = Operations(service: "gateway", version: octavoVersion)
        operations.health {
            ServiceCondition(reasons: neighbours.reasons, gauges: ["http.connections": open.count])
        }
        operations.administer(context)
        let admin = RPCServer(
            context.listeners(named: "admin").map { RPCListener(role: .admin, address: .descriptor($0.descriptor)) },
            operations: operations,
            logger: context.logger,
            drain: drain,
            recorder: spans.recorder
        )
        let http = HTTPServer(
            descriptors: context.listeners(named: "http").map(\.descriptor),
            responder: responder(
                storage: storage,
                follower: follower,
                neighbours: neighbours,
                drain: drain,
                stats: { admin.stats }
            ),
            entrance: entrance,
            // That of the calls to storage, on which the requests' tasks run as well: from the request to the call and back
            // there is no change of thread. They do little between their waits.
            group: RPCEventLoop.shared,
            logger: context.logger,
            open: open,
            recorder: spans.recorder,
            onListening: context.announce("http"),
            onAnswer: { admin.count($0, since: $1, code: $2) }
        )
        context.describe { admin.summary("\(open.count) HTTP connections") }
        // Stopped in reverse: first no more requests, last the connections that answer them.
        let calls = [storage, keys] + follower.runner.clients + follower.storage.clients
        return spans.services + calls + neighbours.clients.map(\.client) + [neighbours, admin, http]
    }

    private static func rule(_ config: ConfigReader) throws(ConfigurationError) -> Entrance.Rule {
        try Entrance.Rule(setting: config.string(forKey: "octavo.http.keys"))
    }

    /// Every route there is.
    static func responder(
        storage: RPCClient,
        follower: RunFollower,
        neighbours: Neighbours,
        drain: Drain = Drain(),
        stats: @escaping @Sendable () -> Stats,
        limits: HTTPLimits = HTTPLimits()
    ) -> some HTTPResponder<BasicRequestContext> {
        let router = Router(context: BasicRequestContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: ProblemMiddleware())
        HealthRoutes(neighbours: neighbours, drain: drain).add(to: router)
        MetricsRoutes(own: stats, neighbours: neighbours).add(to: router)
        MCPRoutes(storage: storage, follower: follower, limits: limits).add(to: router)
        let api = router.group("v1")
        AskRoutes(follower: follower, limits: limits).add(to: api)
        AgentRoutes(follower: follower, limits: limits).add(to: api)
        RunRoutes(storage: storage, follower: follower, limits: limits).add(to: api)
        BookRoutes(storage: storage).add(to: api)
        ReaderRoutes(storage: storage, limits: limits).add(to: api)
        ReadingListRoutes(storage: storage, limits: limits).add(to: api)
        ConversationRoutes(storage: storage, follower: follower, limits: limits).add(to: api)
        return MethodResponder(router)
    }
}
