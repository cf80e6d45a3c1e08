import ArgumentParser
import Glibc
import Logging
import Postgres
import PrivateCluster
import ServiceLifecycle
import UnixSignals

/// `octavo up`.
struct Up: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start everything on this machine; Ctrl-C stops it.",
        discussion: """
            A private Postgres is made in the state folder at the first start and used again later; it listens on a Unix \
            socket only. With DATABASE_URL set, that database is used instead. Octavo's own documentation is the first book.

            Answers come from the built-in extractive model unless a provider is set: OPENAI_API_KEY, or OPENAI_BASE_URL and \
            OCTAVO_MODEL for a server of your own (llama.cpp, Ollama, vLLM).
            """
    )

    @Option(help: "The address to listen on.") var host = "127.0.0.1"
    @Option(help: "The port to listen on.") var port: UInt16 = 8080
    @Option(
        help: ArgumentHelp(
            "The state folder.",
            discussion: "By default OCTAVO_STATE, else ~/.local/state/octavo, for root /var/lib/octavo-up."
        )
    )
    var state: String?
    @Option(help: "A question to ask when everything has started.") var ask: String?

    func run() async throws {
        let state = try self.state.map(StateFolder.init) ?? .standard
        let lock = try state.take()
        defer { withExtendedLifetime(lock) {} }
        let log = try ServiceLog(state.log)

        let database = try await LocalDatabase.open(state)
        do {
            let house = try House(state: state, host: host, port: port, databaseURL: database.url, log: log)
            defer { house.removeSockets() }
            let opening = Opening(house: house, state: state, question: ask)
            try await Self.serve([database] + house.services + [opening])
        } catch {
            await database.close()
            throw error
        }
        Terminal.error.line("stopped; the data are kept in \(state.path)")
    }

    /// The group starts its services in order and stops them in reverse, each when those after it have ended.
    private static func serve(_ services: [any Service]) async throws {
        var logger = Logger(label: "octavo")
        logger.logLevel = .critical
        var configuration = ServiceGroupConfiguration(
            services: services,
            gracefulShutdownSignals: [.sigint, .sigterm],
            logger: logger
        )
        configuration.maximumGracefulShutdownDuration = .seconds(60)
        try await ServiceGroup(configuration: configuration).run()
    }
}

/// The database of `octavo up`: a private cluster, or the server that `DATABASE_URL` names.
struct LocalDatabase: Service {
    private static let name = "octavo"

    let url: String
    private let cluster: PrivateCluster?

    static func open(_ state: StateFolder) async throws -> LocalDatabase {
        if let url = environment("DATABASE_URL") {
            do {
                _ = try PostgresConfiguration(url)
            } catch {
                throw Failure("DATABASE_URL cannot be used: \(error.reason). Unset it to use a private database.")
            }
            return LocalDatabase(url: url, cluster: nil)
        }
        Terminal.error.progress("starting Postgres in \(state.database)…")
        defer { Terminal.error.clearProgress() }
        do {
            let cluster = try await PrivateCluster.persistent(at: state.database, role: name)
            do {
                try await cluster.createDatabase(name)
            } catch PrivateClusterError.failed(_, let output) where output.contains("already exists") {
                // From an earlier start.
            } catch {
                await cluster.stop(keepingData: true)
                throw error
            }
            return LocalDatabase(url: cluster.connectionString(database: name), cluster: cluster)
        } catch let error as PrivateClusterError {
            throw Failure("\(error)")
        }
    }

    func run() async throws {
        try? await gracefulShutdown()
        await close()
    }

    func close() async {
        await cluster?.stop(keepingData: true)
    }
}
