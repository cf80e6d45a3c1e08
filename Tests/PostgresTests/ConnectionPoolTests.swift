import Logging
import PrivateCluster
import ServiceLifecycle
import Testing

@testable import Postgres

@Suite(.serialized, .timeLimit(.minutes(5))) struct ConnectionPoolTests {
    private func limits(size: Int = 2, waiters: Int = 256, wait: Duration = .seconds(60)) -> PoolConfiguration {
        var limits = PoolConfiguration()
        limits.size = size
        limits.maximumWaiters = waiters
        limits.maximumWait = wait
        return limits
    }

    private func backend(_ connection: PostgresConnection) async throws -> Int32 {
        try await connection.query("select pg_backend_pid()")[0][0, as: Int32.self]
    }

    @Test func aThousandCallersShareAHandfulOfConnections() async throws {
        let configuration = try await newDatabase()
        var limits = limits(size: 4, waiters: 1000)
        limits.maximumWait = .seconds(240)
        try await withPool(configuration, limits: limits) { pool in
            let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 1...1000 {
                    group.addTask {
                        try await pool.query("select \(number)", deadline: .now + .seconds(240))[0][0, as: Int.self]
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(sum == 500_500)
            #expect(pool.status.open <= 4)
            #expect(pool.status.busy == 0)
            #expect(pool.status.waiting == 0)
            #expect(pool.status.state == .up)
        }
    }

    @Test func noConnectionIsLentTwiceAtATime() async throws {
        let lent = Shared<Set<Int32>>([])
        try await withPool(newDatabase(), limits: limits(size: 3)) { pool in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<60 {
                    group.addTask {
                        try await pool.withConnection { connection in
                            let backend = try #require(await connection.backendID)
                            #expect(lent.withLock { $0.insert(backend).inserted })
                            try await connection.query("select pg_sleep(0.001)")
                            _ = lent.withLock { $0.remove(backend) }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func whenAllAreLentTheNextOneWaitsAndTheOneAfterIsRefused() async throws {
        try await withPool(newDatabase(), limits: limits(size: 1, waiters: 1)) { pool in
            try await pool.withConnection { _ in
                let waiting = Task { await code { try await pool.query("select 1") } }
                try await eventually("one waits") { pool.status.waiting == 1 }
                #expect(await code { try await pool.query("select 1") } == .exhausted)
                #expect(await code { try await pool.query("select 1", deadline: .now - .seconds(1)) } == .timedOut)
                waiting.cancel()
                #expect(await waiting.value == .cancelled)
            }
        }
    }

    @Test func aWaiterGivesUpAtItsDeadlineOrAtThePools() async throws {
        let configuration = try await newDatabase()
        try await withPool(configuration, limits: limits(size: 1)) { pool in
            try await pool.withConnection { _ in
                #expect(
                    await code { try await pool.query("select 1", deadline: .now + .milliseconds(20)) } == .timedOut
                )
            }
        }
        try await withPool(configuration, limits: limits(size: 1, wait: .milliseconds(20))) { pool in
            try await eventually("it is up") { pool.status.idle == 1 }
            try await pool.withConnection { _ in
                #expect(await code { try await pool.query("select 1") } == .exhausted)
            }
            #expect(try await pool.query("select 1").count == 1)
        }
    }

    @Test func aCancelledWaiterLeavesTheQueue() async throws {
        try await withPool(newDatabase(), limits: limits(size: 1)) { pool in
            try await pool.withConnection { _ in
                let task = Task { await code { try await pool.query("select 1") } }
                try await eventually("it waits") { pool.status.waiting == 1 }
                task.cancel()
                #expect(await task.value == .cancelled)
                #expect(pool.status.waiting == 0)
            }
            #expect(try await pool.query("select 1").count == 1)
        }
    }

    @Test func whatABodyLeavesOpenIsRolledBack() async throws {
        try await withPool(newDatabase(), limits: limits(size: 1)) { pool in
            try await pool.query("create table book (id int8)")
            let first = try await pool.withConnection { connection in
                try await connection.query("begin")
                try await connection.query("insert into book values (1)")
                return try await backend(connection)
            }
            let (second, isEmpty) = try await pool.withConnection { connection in
                (try await backend(connection), try await connection.query("select from book").isEmpty)
            }
            #expect(isEmpty)
            #expect(first == second)
        }
    }

    @Test func aGivenUpStatementOccupiesNobodyElse() async throws {
        try await withPool(newDatabase(), limits: limits(size: 1)) { pool in
            for _ in 1...3 {
                let failed = await code {
                    try await pool.query("select pg_sleep(60)", isReadOnly: true, deadline: .now + .milliseconds(200))
                }
                #expect(failed == .timedOut)
                let next = try await pool.query("select 1", deadline: .now + .seconds(60))
                #expect(next.count == 1)
            }
        }
    }

    @Test func transactionsReturnTheirConnections() async throws {
        try await withPool(newDatabase(), limits: limits(size: 1)) { pool in
            try await pool.query("create table book (id int8 primary key)")
            try await pool.withTransaction { try await $0.query("insert into book values (1)") }
            #expect(
                await code {
                    try await pool.transaction(["insert into book values (2)", "insert into book values (1)"])
                }
                    == .sqlState(.uniqueViolation)
            )
            #expect(try await pool.transaction(["select id from book"])[0].count == 1)
            #expect(pool.status == PoolStatus(state: .up, open: 1, idle: 1, busy: 0, waiting: 0, lastError: nil))
        }
    }

    @Test func aKilledConnectionIsReplaced() async throws {
        let configuration = try await newDatabase()
        let killer = try await PostgresConnection.connect(configuration)
        try await withPool(configuration, limits: limits(size: 1)) { pool in
            for _ in 1...3 {
                let backend = try await pool.withConnection { try await self.backend($0) }
                try await killer.query("select pg_terminate_backend(\(backend), 60000)")
                // The reactor may not have seen it yet, and then the statement itself finds out.
                try await eventually("another one serves") {
                    (try? await pool.query("select 1").count) == 1
                }
            }
        }
    }

    @Test func aGracefulShutdownLetsLentConnectionsComeBack() async throws {
        let pool = ConnectionPool(
            try await newDatabase(),
            limits: limits(size: 2),
            logger: silence
        )
        let group = ServiceGroup(services: [pool], logger: silence)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await pool.withConnection { connection in
                await group.triggerGracefulShutdown()
                try await eventually("it takes nobody any more") {
                    do throws(PostgresError) {
                        try await pool.query("select 1")
                        return false
                    } catch {
                        return error.code == .closed
                    }
                }
                #expect(try await connection.query("select 1").count == 1)
            }
            try await tasks.waitForAll()
        }
        #expect(pool.status.open == 0)
    }

    @Test func cancellingThePoolBreaksOffWhatIsLent() async throws {
        let pool = ConnectionPool(
            try await newDatabase(),
            limits: limits(size: 2),
            logger: silence
        )
        let running = Task { try await pool.run() }
        let failed = await code {
            try await pool.withConnection { connection in
                running.cancel()
                try await connection.query("select pg_sleep(60)")
            }
        }
        #expect(failed == .closed || failed == .outcomeUnknown)
        try await running.value
        #expect(await code { try await pool.query("select 1") } == .closed)
    }
}
