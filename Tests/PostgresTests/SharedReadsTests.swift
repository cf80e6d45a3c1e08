import PrivateCluster
import Testing

@testable import Postgres

@Suite(.serialized, .timeLimit(.minutes(5))) struct SharedReadsTests {
    private func limits(
        connections: Int = 2,
        waiting: Int = 10_000,
        slow: Duration = .seconds(60)
    ) -> PoolConfiguration {
        var limits = PoolConfiguration()
        limits.maximumWait = .seconds(60)
        limits.readConnections = connections
        limits.maximumWaitingReads = waiting
        limits.slowRead = slow
        return limits
    }

    @Test(arguments: [0, 1, 2, 9]) func manyReadersAreAnsweredEachWithItsOwn(connections: Int) async throws {
        try await withPool(newDatabase(), limits: limits(connections: connections)) { pool in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1...200 {
                    group.addTask {
                        let double = try await pool.read("select \(number) * 2")[0][0, as: Int.self]
                        #expect(double == number * 2)
                    }
                }
                try await group.waitForAll()
            }
            let sessions = try await pool.query(
                """
                select from pg_stat_activity where datname = current_database()
                and query = 'select $1 * 2' and backend_type = 'client backend'
                """
            )
            #expect(connections == 0 || (1...4).contains(sessions.count))
        }
    }

    @Test func anErrorReachesItsOwnReaderAndNoNeighbour() async throws {
        try await withPool(newDatabase(), limits: limits(connections: 1)) { pool in
            try await pool.query("create table book (id int8)")
            let failures = try await withThrowingTaskGroup(of: PostgresError.Code?.self) { group in
                for number in 0..<300 {
                    group.addTask {
                        do throws(PostgresError) {
                            switch number % 6 {
                            case 0: _ = try await pool.read("select 1 / (\(number) - \(number))")
                            case 1: _ = try await pool.read("select * from absent where id = \(number)")
                            default:
                                let next = try await pool.read("select \(number) + 1")[0][0, as: Int.self]
                                #expect(next == number + 1)
                            }
                            return nil
                        } catch {
                            return error.code
                        }
                    }
                }
                return try await group.reduce(into: [PostgresError.Code]()) { codes, code in
                    if let code { codes.append(code) }
                }
            }
            #expect(failures.count == 100)
            #expect(failures.count { $0 == .sqlState(.undefinedTable) } == 50)
            #expect(failures.count { $0 == .sqlState(SQLState(rawValue: "22012")) } == 50)
        }
    }

    @Test(arguments: [0, 2]) func aWriteIsRefused(connections: Int) async throws {
        try await withPool(newDatabase(), limits: limits(connections: connections)) { pool in
            try await pool.query("create table book (id int8)")
            #expect(
                await code { try await pool.read("insert into book values (1)") } == .sqlState(.readOnlyTransaction)
            )
            #expect(try await pool.read("select from book").isEmpty)
            try await pool.query("insert into book values (1)")
            #expect(try await pool.read("select from book").count == 1)
        }
    }

    @Test func aReadThatCannotBeSentIsRefusedBeforeItMeetsOthers() async throws {
        try await withPool(newDatabase(), limits: limits()) { pool in
            #expect(await code { try await pool.read("select \("a\0b")") } == .invalidParameter)
            #expect(await code { try await pool.read("select 1", deadline: .now - .seconds(1)) } == .timedOut)
        }
    }

    /// The lane's time limit ends it; it goes on elsewhere, and the others never wait for its minute.
    @Test func aSlowReadDoesNotHoldUpShortOnes() async throws {
        try await withPool(newDatabase(), limits: limits(connections: 1, slow: .milliseconds(50))) { pool in
            let slow = Task { await code { try await pool.read("select pg_sleep(600)") } }
            for _ in 1...20 {
                let readers = (1...8).map { number in
                    Task { try await pool.read("select \(number)")[0][0, as: Int.self] }
                }
                for (index, reader) in readers.enumerated() { #expect(try await reader.value == index + 1) }
            }
            // Now it is known, and its like do not even begin there.
            let again = Task { await code { try await pool.read("select pg_sleep(600)") } }
            try await eventually("both sleep on ordinary connections") { pool.status.busy == 2 }
            slow.cancel()
            again.cancel()
            #expect(await slow.value == .cancelled)
            #expect(await again.value == .cancelled)
        }
    }

    @Test func aReadThatWasOnlySlowIsAnsweredAllTheSame() async throws {
        try await withPool(newDatabase(), limits: limits(slow: .milliseconds(20))) { pool in
            for _ in 1...2 {
                let rows = try await pool.read("select pg_sleep(0.2), 7")
                #expect(try rows[0][1, as: Int.self] == 7)
            }
        }
    }

    @Test func whoeverGivesUpIsAnsweredAtOnceAndDisturbsNobody() async throws {
        let configuration = try await newDatabase()
        let holder = try await PostgresConnection.connect(configuration)
        try await holder.query("create table book (id int8)")
        try await withPool(configuration, limits: limits(connections: 1)) { pool in
            try await holder.query("begin")
            try await holder.query("lock table book")
            // The first read is under way and waits for the lock, the second one for the lane.
            let first = Task { await code { try await pool.read("select from book") } }
            try await eventually("it waits for the lock") { try await isLockAwaited(holder) }
            let second = Task { await code { try await pool.read("select 2") } }
            let third = Task { try await pool.read("select 3")[0][0, as: Int.self] }
            try await eventually("two wait") { pool.reads?.waiting == 2 }
            first.cancel()
            second.cancel()
            #expect(await first.value == .cancelled)
            #expect(await second.value == .cancelled)
            #expect(
                await code { try await pool.read("select 4", deadline: .now + .milliseconds(20)) } == .timedOut
            )
            try await holder.query("commit")
            #expect(try await third.value == 3)
        }
    }

    @Test func oneTooManyIsRefusedAtOnce() async throws {
        let configuration = try await newDatabase()
        let holder = try await PostgresConnection.connect(configuration)
        try await holder.query("create table book (id int8)")
        try await withPool(configuration, limits: limits(connections: 1, waiting: 1)) { pool in
            try await holder.query("begin")
            try await holder.query("lock table book")
            let first = Task { try await pool.read("select from book").count }
            try await eventually("it waits for the lock") { try await isLockAwaited(holder) }
            let second = Task { try await pool.read("select 2").count }
            try await eventually("one waits") { pool.reads?.waiting == 1 }
            #expect(await code { try await pool.read("select 3") } == .exhausted)
            try await holder.query("commit")
            #expect(try await first.value == 0)
            #expect(try await second.value == 1)
        }
    }

    /// In the order of their arrival: measured in reads, not in seconds.
    @Test func tenThousandReadersAreServedInTurn() async throws {
        try await withPool(newDatabase(), limits: limits()) { pool in
            // Before the pool's lanes have connected all of them wait.
            let answered = Shared(0)
            let places = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<10_000 {
                    group.addTask {
                        let before = answered.withLock { $0 }
                        let echo = try await pool.read("select \(number)")[0][0, as: Int.self]
                        #expect(echo == number)
                        return answered.withLock { count in
                            count += 1
                            return count - before
                        }
                    }
                }
                return try await group.reduce(into: [Int]()) { $0.append($1) }
            }
            // How many others were answered while one waited.
            let sorted = places.sorted()
            #expect(sorted[9_999] <= 3 * sorted[5_000] + 2 * SharedReadMachine.largestBatch)
        }
    }

    @Test func aTableThatChangedIsReadAnew() async throws {
        let configuration = try await newDatabase()
        try await withPool(configuration, limits: limits(connections: 1)) { pool in
            try await pool.query("create table book (title text)")
            #expect(try await pool.read("select * from book").columns == ["title"])
            try await pool.query("alter table book add column year int4")
            let columns = try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 1...20 { group.addTask { try await pool.read("select * from book").columns } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(columns == Array(repeating: ["title", "year"], count: 20))
        }
    }

    @Test func aKilledConnectionLosesNoRead() async throws {
        let configuration = try await newDatabase()
        let killer = try await PostgresConnection.connect(configuration)
        try await withPool(configuration, limits: limits()) { pool in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for reader in 1...16 {
                    group.addTask {
                        for number in 1...100 {
                            let rows = try await pool.read("select \(number * reader), 'shared'")
                            #expect(rows.count == 1)
                        }
                    }
                }
                for _ in 1...5 {
                    try await killer.query(
                        """
                        select pg_terminate_backend(pid) from pg_stat_activity
                        where query like '%shared%' and pid <> pg_backend_pid()
                        and datname = current_database() and backend_type = 'client backend'
                        """
                    )
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func aReadThatLeavesATransactionOpenIsEndedWithItsConnection() async throws {
        try await withPool(newDatabase(), limits: limits(connections: 1)) { pool in
            _ = try await pool.read("begin")
            #expect(try await pool.read("select 1").count == 1)
            // A backend sees the end of its connection when it gets a processor.
            try await eventually("its backend is gone") {
                try await pool.query(
                    """
                    select from pg_stat_activity
                    where datname = current_database() and state like 'idle in transaction%'
                    """
                ).isEmpty
            }
        }
    }

    @Test func aStoppedPoolReadsNoMore() async throws {
        let pool = ConnectionPool(try await newDatabase(), limits: limits(), logger: silence)
        let running = Task { try await pool.run() }
        #expect(try await pool.read("select 1").count == 1)
        running.cancel()
        try await running.value
        #expect(await code { try await pool.read("select 1") } == .closed)
    }
}
