import Configuration
import Contract
public import Daemon
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import RPC
public import ServiceLifecycle
import Systemd
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
        ]
    )

    /// Builds the services of the process.
    public static func compose(_ context: DaemonContext) throws -> [any Service] {
        context.watch { try await RPCEventLoop.shared.next().submit {}.get() }
        let storage = RPCClient(
            path: context.config.string(forKey: "octavo.storage", default: "/run/octavo/storage-gateway.sock"),
            role: .gateway,
            name: "gateway",
            logger: context.logger
        )
        let runner = RPCClient(
            path: context.config.string(
                forKey: "octavo.agent.runner",
                default: "/run/octavo/agent-runner-gateway.sock"
            ),
            role: .gateway,
            name: "gateway",
            logger: context.logger
        )
        let http = HTTPServer(
            descriptors: context.listeners(named: "http").map(\.descriptor),
            responder: router(storage: storage, runner: runner).buildResponder(),
            group: MultiThreadedEventLoopGroup.singleton,
            logger: context.logger,
            onListening: context.announce("http")
        )
        var operations = Operations(service: "gateway", version: octavoVersion)
        operations.health { (ready: true, reasons: [], gauges: ["http.connections": http.connections]) }
        let admin = RPCServer(
            context.listeners(named: "admin").map { RPCListener(role: .admin, address: .descriptor($0.descriptor)) },
            operations: operations,
            logger: context.logger
        )
        // Stopped in reverse: first no more requests, last the connections that answer them.
        return [storage, runner, admin, http]
    }

    /// Every route there is.
    static func router(storage: RPCClient, runner: RPCClient, limits: HTTPLimits = HTTPLimits()) -> Router<
        BasicRequestContext
    > {
        let router = Router(context: BasicRequestContext.self)
        router.add(middleware: ProblemMiddleware())
        let follower = RunFollower(runner: runner, storage: storage)
        HealthRoutes(runner: runner, storage: storage).add(to: router)
        let api = router.group("v1")
        AskRoutes(follower: follower, limits: limits).add(to: api)
        RunRoutes(storage: storage, follower: follower, limits: limits).add(to: api)
        BookRoutes(storage: storage).add(to: api)
        return router
    }
}
