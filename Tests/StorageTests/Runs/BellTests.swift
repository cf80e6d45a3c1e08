import Contract
import Logging
import OctavoTesting
import Postgres
import ServiceLifecycle
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
