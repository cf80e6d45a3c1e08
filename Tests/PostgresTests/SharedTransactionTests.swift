import Testing

@testable import Postgres

/// Several tasks inside one transaction.
@Suite(.serialized, .timeLimit(.minutes(5))) struct SharedTransactionTests {
    private func newTable() async throws -> PostgresConnection {
        let connection = try await newConnection()
        try await connection.query("create table book (id int8 primary key)")
        return connection
    }

    /// A connection that holds a lock, which `waitsForLock` waits for.
    private func newHolder(beside connection: PostgresConnection) async throws -> PostgresConnection {
        let holder = try await PostgresConnection.connect(connection.configuration)
        try await holder.query("select pg_advisory_lock(1)")
        return holder
    }

    private let waitsForLock: Query = "select pg_advisory_xact_lock(1)"
    private let release: Query = "select pg_advisory_unlock(1)"

    private func books(_ connection: PostgresConnection) async throws -> [Int] {
        try await connection.query("select id from book order by id").map { row in try row[0, as: Int.self] }
    }

    @Test func manyTasksShareATransaction() async throws {
        let connection = try await newTable()
        try await connection.withTransaction { connection in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1...500 {
                    group.addTask {
                        let rows = try await connection.query("insert into book values (\(number)) returning id")
                        let id = try rows[0][0, as: Int.self]
                        #expect(id == number)
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(try await books(connection) == Array(1...500))
        #expect(connection.condition == .clean)
    }

    @Test func whatIsAskedForMeanwhileGoesOutTogether() async throws {
        let connection = try await newTable()
        let holder = try await newHolder(beside: connection)
        try await connection.withTransaction { connection in
            async let first: Rows = connection.query(waitsForLock)
            try await eventually("it has begun") { await connection.exchange != nil }
            async let second: Rows = connection.query("select 2")
            async let third: [Rows] = connection.transaction(["select 3", "select 4"])
            async let fourth: Void = connection.run(script: "select 5; select 6")
            try await eventually("three wait") { await connection.waiting.count == 3 }
            try await holder.query(release)
            _ = try await first
            #expect(try await second[0][0, as: Int32.self] == 2)
            #expect(try await third.map { rows in try rows[0][0, as: Int32.self] } == [3, 4])
            try await fourth
        }
    }

    @Test func anErrorFailsWhatComesAfterIt() async throws {
        let connection = try await newTable()
        let holder = try await newHolder(beside: connection)
        let outcome = await code {
            try await connection.withTransaction { connection in
                async let slow: Rows = connection.query(waitsForLock)
                try await eventually("it has begun") { await connection.exchange != nil }
                let before = Task { try await connection.query("select 1").count }
                try await eventually("one waits") { await connection.waiting.count == 1 }
                let failing = Task { await code { try await connection.query("select 1 / 0") } }
                try await eventually("two wait") { await connection.waiting.count == 2 }
                let after = Task { await code { try await connection.query("insert into book values (1)") } }
                try await eventually("three wait") { await connection.waiting.count == 3 }
                try await holder.query(release)
                #expect(try await slow.count == 1)
                #expect(try await before.value == 1)
                #expect(await failing.value == .sqlState(SQLState(rawValue: "22012")))
                #expect(await after.value == .sqlState(.inFailedTransaction))
            }
        }
        #expect(outcome == .sqlState(.inFailedTransaction))
        #expect(try await books(connection) == [])
        #expect(connection.condition == .clean)
    }

    @Test func aWaitingStatementThatIsGivenUpIsNotSent() async throws {
        let connection = try await newTable()
        let holder = try await newHolder(beside: connection)
        try await connection.withTransaction { connection in
            async let slow: Rows = connection.query(waitsForLock)
            try await eventually("it has begun") { await connection.exchange != nil }
            let waiting = Task { await code { try await connection.query("insert into book values (1)") } }
            try await eventually("one waits") { await connection.waiting.count == 1 }
            waiting.cancel()
            #expect(await waiting.value == .cancelled)
            let late = await code {
                try await connection.query("insert into book values (2)", deadline: .now + .milliseconds(10))
            }
            #expect(late == .timedOut)
            try await holder.query(release)
            _ = try await slow
        }
        #expect(try await books(connection) == [])
    }

    /// Whichever of the two is given up, the one that drives the exchange or the one that follows.
    @Test(arguments: [true, false]) func givingUpASentStatementFailsTheTransactionForAll(isLeader: Bool) async throws {
        let connection = try await newTable()
        let holder = try await newHolder(beside: connection)
        let outcome = await code {
            try await connection.withTransaction { connection in
                async let first: Rows = connection.query(waitsForLock)
                try await eventually("it has begun") { await connection.exchange != nil }
                let sleep: Query = "select pg_sleep(600)"
                let leader = Task { await failure { try await connection.query(isLeader ? sleep : "select 1") } }
                try await eventually("one waits") { await connection.waiting.count == 1 }
                let follower = Task { await failure { try await connection.query(isLeader ? "select 1" : sleep) } }
                try await eventually("two wait") { await connection.waiting.count == 2 }
                try await holder.query(release)
                _ = try await first
                try await eventually("one follows the other") { await connection.followers.count == 1 }
                (isLeader ? leader : follower).cancel()
                #expect(await (isLeader ? leader : follower).value == .cancelled)
                // What follows fails; what was done before goes with the transaction.
                if isLeader { #expect(await follower.value == .sqlState(.inFailedTransaction)) }
                try await connection.query("insert into book values (1)")
            }
        }
        #expect(outcome == .sqlState(.inFailedTransaction))
        #expect(await connection.settle())
        #expect(try await books(connection) == [])
    }

    /// The code of the error that `body` may throw.
    private func failure(of body: () async throws -> Rows) async -> PostgresError.Code? {
        do { _ = try await body() } catch { return (error as? PostgresError)?.code }
        return nil
    }

    @Test func losingTheConnectionFailsEverybody() async throws {
        let connection = try await newTable()
        let outcome = await code {
            try await connection.withTransaction { connection in
                let failures = (1...5).map { number in
                    Task { await code { try await connection.query("select pg_sleep(600), \(number)") } }
                }
                try await eventually("four wait for it or go with it") {
                    await connection.waiting.count + connection.followers.count == 4
                }
                await connection.close()
                for failure in failures { #expect(await failure.value == .closed) }
                try await connection.query("select 1")
            }
        }
        #expect(outcome == .closed)
    }

    @Test func aTaskLeftBehindKeepsTheTransactionFromCommitting() async throws {
        let connection = try await newTable()
        let left = Shared<Task<PostgresError.Code?, Never>?>(nil)
        let outcome = await code {
            try await connection.withTransaction { connection in
                try await connection.query("insert into book values (1)")
                left.withLock { $0 = Task { await code { try await connection.query("select pg_sleep(600)") } } }
                try await eventually("it has begun") { await connection.exchange != nil }
            }
        }
        #expect(outcome == .busy)
        left.withLock { $0 }?.cancel()
        #expect(await left.withLock { $0 }?.value == .cancelled)
        #expect(await connection.settle())
        #expect(try await books(connection) == [])
    }

    @Test func tooManyWaitingAreRefused() async throws {
        let connection = try await newTable()
        let holder = try await newHolder(beside: connection)
        try await connection.withTransaction { connection in
            async let slow: Rows = connection.query(waitsForLock)
            try await eventually("it has begun") { await connection.exchange != nil }
            let tasks = (0..<PostgresConnection.followerLimit).map { number in
                Task { try await connection.query("select \(number)")[0][0, as: Int.self] }
            }
            try await eventually("all wait") { await connection.waiting.count == PostgresConnection.followerLimit }
            #expect(await code { try await connection.query("select 1") } == .exhausted)
            try await holder.query(release)
            _ = try await slow
            for (number, task) in tasks.enumerated() { #expect(try await task.value == number) }
        }
    }
}
