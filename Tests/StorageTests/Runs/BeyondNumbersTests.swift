import Contract
import Logging
import OctavoTesting
import Postgres
import RPC
import Testing
import Wire

@testable import Storage

/// Numbers and days that are none, wherever they stand: refused, with nothing broken by them.
@Suite(.serialized) struct BeyondNumbersTests {
    private func withHost(_ body: @Sendable @escaping (StorageHost) async throws -> Void) async throws {
        try await StorageHost.run(database: TestDatabase.make(), body)
    }

    private func isInvalid(_ error: any Error) -> Bool { (error as? ServiceError)?.code == .invalidArgument }

    @Test(arguments: [Int.max, Int.max - 1, Int(Int32.max), 0, -1, .min])
    func aSequenceThatNoEventHasEndsNothingButItsCall(sequence: Int) async throws {
        try await withHost { host in
            try await host.admin.enqueue()
            try await host.withRunner { runner in
                let lease = try await runner.claim(1, as: "a")[0]
                let event = RunEvent(sequence: sequence, at: "2026-01-31T12:00:00.000Z", body: .text("So."))
                let append = AppendEvents(run: lease.run, runner: "a", attempt: 1, events: [event])
                await #expect { try await runner.perform(append) } throws: { isInvalid($0) }
                try await runner.finish(lease, as: "a")
            }
        }
    }

    @Test func limitsHaveLimits() async throws {
        try await withHost { host in
            for limit in [
                LimitRuns(agent: "a", concurrent: 1 << 40), LimitRuns(agent: "a", starts: 1 << 40, seconds: 1),
                LimitRuns(agent: "a", starts: LimitRuns.mostStarts + 1, seconds: 1),
                LimitRuns(agent: "a", concurrent: -1),
            ] {
                await #expect("\(limit)") { try await host.admin.perform(limit) } throws: { isInvalid($0) }
            }
        }
    }

    @Test(arguments: ["2026-13-45", "2026-02-29", "2026-04-31", "0000-01-01", "2026-1-1", "2026-01-3x", "today", ""])
    func aDayThatIsNoneHasNoPrice(day: String) async throws {
        try await withHost { host in
            let price = SetPrice(model: "m", since: day, input: 1, cached: 0, output: 1)
            await #expect { try await host.admin.perform(price) } throws: { isInvalid($0) }
        }
    }

    @Test func everyDayIsOne() {
        for days in -100...60_000 {
            let date = CivilDate(days: days)
            let (month, day) = date.monthAndDay
            let name = { (number: Int) in number < 10 ? "0\(number)" : "\(number)" }
            let years = [-1, 0, 1].map { 1970 + Int((Double(days) / 365.2425).rounded(.down)) + $0 }
            let named = years.map { CivilDate("\($0)-\(name(month))-\(name(day))") }
            #expect(named.contains(date), "\(days)")
        }
    }

    /// It may be a cast of our own: only the log can tell, and holds no value.
    @Test func whatTheDatabaseCannotStoreIsInTheLog() async throws {
        let (lines, log) = AsyncStream.makeStream(of: String.self)
        let logger = Logger(label: "storage") { _ in Lines(log: log) }
        let pool = ConnectionPool(try PostgresConfiguration(await TestDatabase.make()), logger: logger)
        let schema = Schema(pool: pool, policy: .apply, logger: logger)
        let database = Database(pool: pool, transactions: pool, schema: schema, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await pool.run() }
            _ = try await schema.apply(deadline: .now + .seconds(60))
            for cast in ["uuid", "json", "integer"] {
                let wrong = Query(unsafe: "select 'hunter2'::text::\(cast)")
                await #expect { try await database.rows(wrong, deadline: .now + .seconds(60)) } throws: {
                    isInvalid($0)
                }
            }
            group.cancelAll()
        }
        log.finish()
        let told = await lines.reduce(into: [String]()) { if $1.contains("22P02") { $0.append($1) } }
        #expect(told.count == 3 && told.allSatisfy { $0.hasPrefix("warning") && !$0.contains("hunter2") })
    }

    /// What no check of ours looks at, the database refuses; that is no defect either.
    @Test func whatTheDatabaseCannotStoreIsNoDefect() async throws {
        try await withHost { host in
            try await host.admin.enqueue()
            try await host.withRunner { runner in
                let lease = try await runner.claim(1, as: "a")[0]
                let begin = BeginStep(
                    run: lease.run,
                    runner: "a",
                    attempt: 1 << 40,
                    step: "1",
                    kind: .model,
                    name: "m",
                    digest: "d",
                    tokens: 1,
                    repeats: true
                )
                await #expect { try await runner.perform(begin) } throws: { isInvalid($0) }
                let awaiting = ReleaseRun(run: lease.run, runner: "a", attempt: 1 << 40, reason: .awaiting)
                await #expect { try await runner.perform(awaiting) } throws: { isInvalid($0) }
            }
        }
    }
}

/// Tells what is logged.
private struct Lines: LogHandler {
    let log: AsyncStream<String>.Continuation
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        log.yield("\(event.level) \(event.message) \(event.metadata ?? [:])")
    }
}
