import Contract
import Logging
import OctavoTesting
import Postgres
import ServiceLifecycle
import Synchronization
import Testing

@testable import Storage

/// What one storage service tells the others.
@Suite(.serialized) struct BellTests {
    /// Of one host, nothing but its bell: nobody looks by themselves.
    private struct Host {
        let signals = RunSignals()
        let services: [any Service]

        init(_ database: String) throws {
            let pool = ConnectionPool(try PostgresConfiguration(database), logger: Self.quiet)
            let schema = Schema(pool: pool, policy: .apply, logger: Self.quiet)
            let storage = Database(pool: pool, transactions: pool, schema: schema, logger: Self.quiet)
            services = [pool, schema, Bell(database: storage, signals: signals, logger: Self.quiet)]
        }

        static let quiet = Logger(label: "storage") { _ in SwiftLogNoOpLogHandler() }
    }

    @Test func everyStopIsToldInNotificationsThatPostgresTakes() {
        let host = "0d1c7a0a-9c3f-4d3e-8a59-0f0d6a2b7c11"
        for count in [0, 1, 30, 500, 1_000, 5_000] {
            var news = RunSignals.News()
            news.isQueue = true
            news.runs = Set((0..<count).map { _ in RunID.new() })
            let runner = String(repeating: "r", count: 100)
            news.stops = (0..<count).map { .init(runner: runner, run: .new(), attempt: $0) }
            let texts = Bell.texts(news, from: host)
            #expect(texts.allSatisfy { $0.utf8.count < 8_000 && $0.hasPrefix(host + " ") })
            let words = texts.flatMap { $0.split(separator: " ").dropFirst() }
            #expect(words.contains("queue") && words.contains("all") == (count > RunSignals.News.mostRuns))
            #expect(words.contains("stops") == (count > RunSignals.News.mostStops))
            #expect(words.count { $0.hasPrefix("stop/") } == min(count, RunSignals.News.mostStops))
        }
    }

    @Test func whatTheOthersCouldNotBeToldIsToldAgain() {
        let signals = RunSignals()
        let stop = RunSignals.Stop(runner: "a", run: .new(), attempt: 1)
        signals.stop(stop)
        let news = signals.takeNews()
        signals.tellAgain(news.stops)
        #expect(signals.takeNews().stops == [stop])
        #expect(signals.takeNews().isEmpty)
    }

    @Test(.timeLimit(.minutes(5))) func whoIsLostToTheOthersKnowsSoUntilItHearsThemAgain() async throws {
        let database = try await TestDatabase.make()
        let host = try Host(database)
        let group = ServiceGroup(services: host.services, logger: Host.quiet)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let other = try await PostgresConnection.connect(PostgresConfiguration(database))
            try await eventually { !host.signals.isDeaf.load(ordering: .relaxed) }
            // The connections that are there stay, and there is no other.
            let connections: Query =
                "update pg_database set datallowconn = not datallowconn where datname = current_database()"
            try await other.query(connections)
            try await other.query(
                """
                select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and query like 'listen %'
                """
            )
            try await eventually { host.signals.isDeaf.load(ordering: .relaxed) }
            try await eventually { host.signals.misses.load(ordering: .relaxed) == 1 }
            try await other.query(connections)
            try await eventually { !host.signals.isDeaf.load(ordering: .relaxed) }
            await other.close()
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    @Test(.timeLimit(.minutes(5))) func whatHappensOnOneHostIsHeardOnTheOther() async throws {
        let database = try await TestDatabase.make()
        let (one, two) = (try Host(database), try Host(database))
        let group = ServiceGroup(services: one.services + two.services, logger: Host.quiet)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let (run, stopped) = (RunID.new(), RunID.new())
            await two.signals.subscribed(to: .queue, .runner("a")) { queue in
                // Whoever begins to listen looks at everything.
                await queue.wait()
                one.signals.signal(.queue)
                await queue.wait()
                // What was said before the other host rings its bell is heard by nobody, so it is said until it is heard.
                let stop = ClaimRuns.Stop(run: stopped, attempt: 3)
                var stops: [ClaimRuns.Stop] = []
                while stops.isEmpty, !Task.isCancelled {
                    one.signals.stop(.init(runner: "a", run: stop.run, attempt: stop.attempt))
                    try? await Task.sleep(for: .milliseconds(20))
                    stops = two.signals.takeStops(of: "a")
                }
                #expect(!stops.isEmpty && stops.allSatisfy { $0 == stop })
            }
            await two.signals.subscribed(to: .run(run)) { signal in
                one.signals.signal(.run(run))
                await signal.wait()
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }
}
