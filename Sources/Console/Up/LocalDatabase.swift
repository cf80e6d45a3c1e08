import Glibc
import Postgres
import PrivateCluster
import ServiceLifecycle
import Synchronization

/// The database of `octavo up`: a private cluster, kept running, or the server that `DATABASE_URL` names.
final class LocalDatabase: Service {
    private static let name = "octavo"
    /// Between two attempts to reach a server that is somebody else's to start.
    private static let attemptPause = Duration.seconds(1)

    private enum Kind {
        case cluster(PrivateCluster)
        case server(PostgresConfiguration)
    }

    /// How storage connects.
    let url: String
    private let kind: Kind
    private let state = Mutex<(isUp: Bool, trouble: String?)>((false, nil))

    /// Checks what can be checked without making anything.
    init(_ folder: StateFolder) throws {
        if let url = environment("DATABASE_URL") {
            do {
                kind = .server(try PostgresConfiguration(url, applicationName: "octavo"))
            } catch {
                throw Failure("DATABASE_URL cannot be used: \(error.reason). Unset it to use a private database.")
            }
            self.url = url
        } else {
            do {
                let cluster = try PrivateCluster(at: folder.database, role: Self.name)
                kind = .cluster(cluster)
                url = cluster.connectionString(database: Self.name)
            } catch {
                throw Failure("\(error)")
            }
        }
    }

    /// It was reached, and has not ended since.
    var isUp: Bool { state.withLock { $0.isUp } }
    /// Why it was not reached so far, and what to do.
    var trouble: String? { state.withLock { $0.trouble } }
    /// Its start is this process' own affair, with limits of its own.
    var isPrivate: Bool { if case .cluster = kind { true } else { false } }

    func run() async throws {
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(
                try await cancelWhenGracefulShutdown {
                    switch self.kind {
                    case .cluster(let cluster): try await self.keep(cluster)
                    case .server(let server): await self.reach(server)
                    }
                    try? await gracefulShutdown()
                }
            )
        } catch {
            outcome = .failure(error)
        }
        // Here and not within: that was cut off by the stop, and this has to take its time.
        if case .cluster(let cluster) = kind { await cluster.stop(keepingData: true) }
        guard !Task.isCancelled, !Task.isShuttingDownGracefully else { return }
        try outcome.get()
    }

    // MARK: A private cluster

    /// Starts the cluster, and again when it ends; throws what it does not start for.
    private func keep(_ cluster: PrivateCluster) async throws {
        var limit = RestartLimit()
        try await start(cluster, database: Self.name)
        limit.started(at: .now)
        while let exit = await cluster.waitForEnd() {
            state.withLock { $0.isUp = false }
            var reason = "Postgres ended (\(exit))"
            while !isUp {
                guard let pause = limit.pause(after: .now) else {
                    throw Failure(
                        """
                        \(reason). It could not be started \(RestartLimit.most) times. \
                        Its log says why: \(cluster.log). Put that right, then run octavo up again; the data are kept.
                        """
                    )
                }
                Terminal.error.notice("\(reason); starting it again. Its log: \(cluster.log)")
                try await Task.sleep(for: pause)
                do {
                    try await start(cluster, database: nil)
                    limit.started(at: .now)
                    Terminal.error.notice("Postgres runs again")
                } catch let error as Failure {
                    reason = error.description.trimmingFullStop
                }
            }
        }
    }

    /// - Parameter database: one that has to be there, and is made the first time.
    private func start(_ cluster: PrivateCluster, database: String?) async throws {
        Terminal.error.progress("starting Postgres in \(cluster.directory)…")
        defer { Terminal.error.clearProgress() }
        do {
            try await cluster.start()
            if let database { try await cluster.createDatabase(database) }
        } catch PrivateClusterError.failed(_, let output) where output.contains("already exists") {
            // From an earlier start.
        } catch {
            try Task.checkCancellation()
            throw Failure("\(error)")
        }
        state.withLock { $0 = (true, nil) }
    }

    // MARK: Somebody else's server

    /// Returns once it was reached. Says at once when it is not, and again when the reason is another.
    private func reach(_ server: PostgresConfiguration) async {
        var told: String?
        while !Task.isCancelled {
            do {
                await (try PostgresConnection.connect(server)).close()
                if told != nil { Terminal.error.notice("the database is reached") }
                return state.withLock { $0 = (true, nil) }
            } catch {
                guard !Task.isCancelled else { return }
                // libpq's further lines are guesses.
                let reason = error.reason.split(whereSeparator: \.isNewline).first.map(String.init) ?? "no reason given"
                let place = server.description.isEmpty ? "the database" : "the database (\(server))"
                if reason != told { Terminal.error.notice("cannot reach \(place): \(reason); still trying") }
                told = reason
                let trouble = """
                    Cannot reach \(place): \(reason). Start it, or put DATABASE_URL right; \
                    without DATABASE_URL a private database is used.
                    """
                state.withLock { $0.trouble = trouble }
            }
            try? await Task.sleep(for: Self.attemptPause)
        }
    }
}

/// How often a server that ends is started again. One that was up and was ended is, as long as it takes, after pauses that
/// are longer while it does not stay; one that does not even start is given up, for no pause mends that. Pure.
package struct RestartLimit {
    /// Starts in a row that fail. With the pauses this is a quarter of a minute: what has not passed by then is a person's
    /// to look at.
    package static let most = 6
    /// Whoever ran for so long is started again at once.
    private static let longEnough = Duration.seconds(10)
    private static let firstPause = Duration.milliseconds(250)
    /// Of a server that is up again and again: more would only keep people waiting.
    private static let longestPause = Duration.seconds(2)

    private var failures = 0
    private var ends = 0
    private var lastStart: ContinuousClock.Instant?

    package init() {}

    /// It is up.
    package mutating func started(at now: ContinuousClock.Instant) {
        lastStart = now
        failures = 0
    }

    /// How long to wait after the server's end, or after a start that failed; nil when it is enough.
    package mutating func pause(after end: ContinuousClock.Instant) -> Duration? {
        guard let lastStart else {
            failures += 1
            return failures < Self.most ? Self.firstPause * (1 << failures) : nil
        }
        self.lastStart = nil
        if lastStart.duration(to: end) >= Self.longEnough { ends = 0 }
        defer { ends += 1 }
        return ends == 0 ? .zero : min(Self.firstPause * (1 << min(ends, 8)), Self.longestPause)
    }
}

extension String {
    /// A sentence that is to be followed by more.
    fileprivate var trimmingFullStop: String { hasSuffix(".") ? String(dropLast()) : self }
}
