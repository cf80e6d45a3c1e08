import ArgumentParser
import Contract
import Daemon
import FoundationEssentials
import Logging
import RPC
import ServiceLifecycle
import Systemd
import UnixSignals

/// `octavo up`.
struct Up: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start everything on this machine; Ctrl-C stops it.",
        discussion: """
              octavo up
              octavo up --port 9000 --ask "How long may a frame be?"

            A private Postgres is made in the state folder at the first start and used again later; it listens on a Unix \
            socket only. With DATABASE_URL set, that database is used instead. Octavo's own documentation is the first book.

            Answers come from the built-in extractive model unless a provider is set: OPENAI_API_KEY, \
            ANTHROPIC_API_KEY, or OPENAI_BASE_URL and OCTAVO_MODEL for a server of your own (llama.cpp, Ollama, vLLM).

            A service or a private Postgres that ends is started again. Ctrl-C stops all in order, which takes as long as what is \
            being answered, for each service at most OCTAVO_DRAIN_SECONDS (30); a second Ctrl-C stops at once. The data are kept \
            either way.
            """
    )

    @Option(help: ArgumentHelp("The address to listen on; 0.0.0.0 for all.", valueName: "address")) var host =
        "127.0.0.1"
    @Option(parsing: .unconditional, help: "The TCP port to listen on; 0 lets the system choose.") var port: UInt16 =
        8080
    @Option(
        help: ArgumentHelp(
            "The state folder. (default: OCTAVO_STATE, else ~/.local/state/octavo, for root /var/lib/octavo-up)",
            valueName: "folder"
        ),
        completion: .directory
    )
    var state: String?
    @Option(
        help: ArgumentHelp(
            "Keep spans of all that is done, as JSON lines in this folder (README, Traces).",
            valueName: "folder"
        ),
        completion: .directory
    )
    var traces: String?
    @Option(help: ArgumentHelp("A question to ask when everything has started.", valueName: "question")) var ask:
        String?

    /// For the processes of an `octavo up` that was killed a moment ago to be gone, which the kernel sees to.
    private static let afterKill = Duration.seconds(2)

    func run() async throws {
        // Before anything is made: from here on a Ctrl-C stops in order.
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        let state = try self.state.map(StateFolder.init) ?? .standard
        let database = try LocalDatabase(state)
        let programs = try House.programs()
        let lock = try state.lockIfUsed()
        let http = try await listen(patience: lock == nil ? .zero : Self.afterKill)
        let hold = try lock ?? state.take()
        defer { withExtendedLifetime(hold) {} }
        try await state.waitUntilFree(patience: Self.afterKill)
        let log = try ServiceLog(state.log)

        let house = try House(
            state: state,
            programs: programs,
            http: http,
            databaseURL: database.url,
            log: log,
            settings: settings
        )
        defer { house.removeSockets() }
        let opening = Opening(house: house, state: state, database: database, question: ask)
        let services: [any Service] = [database] + house.services + commands(state, programs) + [opening]
        if try await Self.serve(services, until: signals) == .atOnce {
            Terminal.error.notice("stopped at once; the data are kept in \(state.path)")
            throw ExitCode(130)
        }
        Terminal.error.notice("stopped; the data are kept in \(state.path)")
    }

    /// The environment, and what was said in its place.
    private var settings: [String: String] {
        let environment = ProcessInfo.processInfo.environment
        guard let traces else { return environment }
        let folder = traces.hasPrefix("/") ? traces : FileManager.default.currentDirectoryPath + "/" + traces
        return environment.merging(["OCTAVO_TRACES": "file:\(folder)"]) { $1 }
    }

    /// Whoever carries out the commands that schedules begin.
    private func commands(_ state: StateFolder, _ programs: String) -> [any Service] {
        var logger = Logger(label: "octavo")
        logger.logLevel = .critical
        let path = "\(state.runFolder)/storage-admin.sock"
        let storage = RPCClient(path: path, role: .admin, name: "storage", logger: logger)
        let options = ["--run-folder", state.runFolder]
        let worker = CommandWorker(storage: storage, program: programs + "/octavo", options: options) {
            Terminal.error.notice($0)
        }
        return [storage, worker]
    }

    /// The port, before anything is made in vain. One that was an earlier start's becomes free in a moment.
    private func listen(patience: Duration) async throws -> ListenSocket {
        let end = ContinuousClock.now + patience
        while true {
            do {
                return try ListenSocket.bindTCP(name: "http", host: host, port: port)
            } catch {
                guard ContinuousClock.now < end else {
                    throw Failure("\(error) --port chooses another port, --host another address.")
                }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    /// Twice what a service takes to finish what it is doing.
    private static let stopLimit = Duration.seconds(60)

    private enum Stop {
        case inOrder, atOnce
    }

    /// The group starts its services in order and stops them in reverse, each when those after it have ended. The first
    /// signal asks for that, the second cuts it short.
    private static func serve(_ services: [any Service], until signals: UnixSignalsSequence) async throws -> Stop {
        var logger = Logger(label: "octavo")
        logger.logLevel = .critical
        var configuration = ServiceGroupConfiguration(
            services: services.map { .init(service: $0, failureTerminationBehavior: .gracefullyShutdownGroup) },
            logger: logger
        )
        configuration.maximumGracefulShutdownDuration = Self.stopLimit
        let group = ServiceGroup(configuration: configuration)
        return try await withThrowingTaskGroup(of: Stop.self) { tasks in
            tasks.addTask {
                do {
                    try await group.run()
                } catch is CancellationError where !Task.isCancelled {
                    throw Failure(
                        "Not everything had stopped after \(Self.stopLimit), and was ended. The data are kept."
                    )
                }
                return .inOrder
            }
            tasks.addTask {
                var isFirst = true
                for await _ in signals {
                    guard isFirst else { break }
                    isFirst = false
                    Terminal.error.notice("stopping; a second Ctrl-C stops at once")
                    await group.triggerGracefulShutdown()
                }
                return .atOnce
            }
            let stop = try await tasks.next() ?? .inOrder
            tasks.cancelAll()
            // What is cancelled in a hurry has nothing more to say.
            while await tasks.nextResult() != nil {}
            return stop
        }
    }
}
