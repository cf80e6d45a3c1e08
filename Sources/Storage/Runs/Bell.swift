import Contract
import FoundationEssentials
import Logging
import Postgres
import ServiceLifecycle
import Synchronization

/// Carries signals to the storage services of other hosts that share the database, by NOTIFY. It is a wake-up and no data:
/// what is missed is found when everybody looks again by themselves, which happens every few seconds.
///
/// NOTIFY takes a lock over all commits of the database, so it is never part of what a caller waits for, and what
/// comes within some milliseconds is told together; at the end of them, when whoever waits here for the same is told already and
/// needs the processor no more. What gathers when the process is stopped is not told: the others look by themselves.
final class Bell: Service {
    static let channel = "octavo_runs"
    /// How long news gathers: a fraction of what a run on another host may wait.
    private static let pause = Duration.milliseconds(10)
    /// Between two tries while the database is away.
    private static let patience = Duration.milliseconds(500)
    /// A notification has less than 8,000 bytes.
    private static let most = 7_999

    private let database: Database
    private let signals: RunSignals
    private let logger: Logger
    /// This process, so that it does not wake itself.
    private let host = UUID().uuidString.lowercased()

    init(database: Database, signals: RunSignals, logger: Logger) {
        self.database = database
        self.signals = signals
        self.logger = logger
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.listen() }
                group.addTask {
                    while !Task.isCancelled {
                        await self.signals.newsCame.wait()
                        try? await Task.sleep(for: Self.pause)
                        await self.ring(self.signals.takeNews())
                    }
                }
            }
        }
    }

    private func ring(_ news: RunSignals.News) async {
        guard !news.isEmpty else { return }
        do {
            let texts = Self.texts(news, from: host)
            _ = try await database.rows(
                "select pg_notify('\(unsafe: Self.channel)', text) from unnest(\(texts)) as text",
                deadline: .now + .seconds(5)
            )
        } catch {
            // What is queued or stored is found by whoever looks again; what is to be stopped nobody looks for.
            logger.debug("other hosts not told", metadata: ["error": "\(error)"])
            signals.tellAgain(news.stops)
            try? await Task.sleep(for: Self.patience)
        }
    }

    private func listen() async {
        guard let pool = database.pool else { return }
        do {
            var isFirst = true
            for await event in try pool.listen(to: Self.channel) {
                switch event {
                case .gap:
                    signals.isDeaf.store(false, ordering: .relaxed)
                    // Nothing was to be heard before the first, and no claim has counted on it.
                    if isFirst { signals.signalAll() } else { signals.missed() }
                    isFirst = false
                case .lost:
                    // It may not come back while all others do, as where no more connections may be had. Claims that have counted on
                    // it are made again, and those to come know.
                    signals.isDeaf.store(true, ordering: .relaxed)
                    signals.missed()
                case .notification(let notification): hear(notification.payload)
                }
            }
        } catch {
            // Behind pgbouncer: then everybody looks again every few seconds.
            logger.notice("other hosts are not heard at once", metadata: ["reason": "\(error)"])
        }
    }

    private func hear(_ text: String) {
        let words = text.split(separator: " ")
        guard words.first.map(String.init) != host else { return }
        for word in words.dropFirst() {
            let parts = word.split(separator: "/").map(String.init)
            switch parts.first {
            case "queue": signals.signalHere(.queue)
            case "clock": signals.signalHere(.clock)
            case "outbox": signals.signalHere(.outbox)
            case "run":
                if parts.count == 2, let run = RunID(parts[1]) { signals.signalHere(.run(run)) }
            case "stop":
                guard parts.count == 4, let run = RunID(parts[2]), let attempt = Int(parts[3]) else { continue }
                signals.stopHere(RunSignals.Stop(runner: parts[1], run: run, attempt: attempt))
            case "stops": signals.missed()
            default: signals.signalAll()
            }
        }
    }

    /// `HOST queue clock outbox run/RUN stop/RUNNER/RUN/ATTEMPT`, in as many notifications as that takes. `all` stands for more
    /// runs than are worth telling one by one, and `stops` for the stops beyond those that are.
    static func texts(_ news: RunSignals.News, from host: String) -> [String] {
        var words: [String] = []
        if news.isQueue { words.append("queue") }
        if news.isClock { words.append("clock") }
        if news.isOutbox { words.append("outbox") }
        words += news.runs.count > RunSignals.News.mostRuns ? ["all"] : news.runs.map { "run/\($0)" }
        if news.stops.count > RunSignals.News.mostStops { words.append("stops") }
        words += news.stops.prefix(RunSignals.News.mostStops).map { "stop/\($0.runner)/\($0.run)/\($0.attempt)" }
        return words.reduce(into: [String]()) { texts, word in
            if let last = texts.last, last.utf8.count + 1 + word.utf8.count <= most {
                texts[texts.count - 1] += " " + word
            } else {
                texts.append("\(host) \(word)")
            }
        }
    }
}
