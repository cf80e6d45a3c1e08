import Logging
import PrivateCluster
import Testing

@testable import Postgres

@Suite(.serialized, .timeLimit(.minutes(5))) struct ListeningTests {
    @Test func notificationsComeAfterTheGapAtTheBeginning() async throws {
        try await withPool(newDatabase()) { pool in
            var events = try pool.listen(to: "runs \"and\" Books").makeAsyncIterator()
            #expect(await events.next() == .gap)
            for number in 1...3 { try await pool.query("select pg_notify('runs \"and\" Books', \("\(number)"))") }
            for number in 1...3 {
                guard case .notification(let notification) = await events.next() else {
                    Issue.record("no notification")
                    return
                }
                #expect(notification.payload == "\(number)")
                #expect(notification.channel == "runs \"and\" Books")
            }
        }
    }

    @Test func aLostConnectionIsReplacedAndTheGapTold() async throws {
        let cluster = try await PrivateCluster.temporary()
        let configuration = try patient(PostgresConfiguration(cluster.connectionString(database: "postgres")))
        try await withPool(configuration) { pool in
            var events = try pool.listen(to: "runs").makeAsyncIterator()
            #expect(await events.next() == .gap)
            try await pool.query("select pg_notify('runs', 'heard')")
            guard case .notification = await events.next() else {
                Issue.record("no notification")
                return
            }
            await cluster.stop(keepingData: true)
            // Said while nobody knows when it will be there again.
            #expect(await events.next() == .lost)
            try await cluster.start()
            #expect(await events.next() == .gap)
            try await eventually("it is up again") {
                (try? await pool.query("select pg_notify('runs', 'again')")) != nil
            }
            guard case .notification(let notification) = await events.next() else {
                Issue.record("no notification")
                return
            }
            #expect(notification.payload == "again")
        }
        await cluster.stop()
    }

    @Test func whoIsTooSlowIsToldOfTheGap() async throws {
        try await withPool(newDatabase()) { pool in
            var events = try pool.listen(to: "runs").makeAsyncIterator()
            #expect(await events.next() == .gap)
            try await pool.query("select pg_notify('runs', n::text) from generate_series(1, 1000) as n")
            try await pool.query("select pg_notify('runs', 'last')")
            var kept: [String] = []
            var gaps = 0
            while kept.last != "last" {
                switch await events.next() {
                case .gap: gaps += 1
                case .notification(let notification): kept.append(notification.payload)
                case .lost: Issue.record("it was lost")
                case nil: Issue.record("it ended")
                }
            }
            #expect(kept.count == 1001 || gaps > 0)
        }
    }

    @Test func itEndsWithItsTaskAndItsConnectionWithIt() async throws {
        try await withPool(newDatabase()) { pool in
            let (heard, hear) = AsyncStream.makeStream(of: Void.self)
            let task = Task {
                for await _ in try pool.listen(to: "runs") { hear.yield() }
            }
            for await _ in heard { break }
            let listening: Query = """
                select from pg_stat_activity
                where query like 'listen %' and state = 'idle' and datname = current_database()
                """
            // What a session does is reported a moment later.
            try await eventually("it listens") { try await pool.query(listening).count == 1 }
            task.cancel()
            try await task.value
            try await eventually("nobody listens") { try await pool.query(listening).isEmpty }
        }
    }

    @Test(arguments: ["", String(repeating: "x", count: 64), "a\0b"])
    func aNameWithoutRoomIsRefused(channel: String) async throws {
        let pool = ConnectionPool(try PostgresConfiguration("host=/nowhere"), logger: silence)
        #expect(throws: PostgresError.self) { try pool.listen(to: channel) }
    }

    @Test func behindPgBouncerItIsRefused() async throws {
        let pool = ConnectionPool(try PostgresConfiguration("host=/nowhere pgbouncer=true"), logger: silence)
        let error = #expect(throws: PostgresError.self) { try pool.listen(to: "runs") }
        #expect(error?.code == .invalidConfiguration)
    }

    @Test func noticesReachTheLoggerWithoutTheirText() async throws {
        let records = Records()
        let logger = Logger(label: "test", factory: { _ in records })
        let connection = try await PostgresConnection.connect(newDatabase(), logger: logger)
        try await connection.run(
            script: "do $$ begin raise warning 'hunter2' using errcode = '01000', detail = 'hunter2'; end $$"
        )
        try await connection.run(script: "create table if not exists a (n int8); create table if not exists a (n int8)")
        let lines = records.lines.withLock { $0 }
        #expect(lines.count == 2)
        #expect(lines.first?.contains("WARNING") == true && lines.first?.contains("01000") == true)
        #expect(lines.last?.contains("42P07") == true)
        #expect(lines.joined().contains("hunter2") == false)
    }
}

/// Keeps what was logged.
private struct Records: LogHandler {
    let lines = Shared<[String]>([])
    var logLevel = Logger.Level.trace
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        lines.withLock { $0.append("\(event.level) \(event.message) \(event.metadata ?? [:])") }
    }
}
