import Testing

@testable import Postgres

@Suite(.serialized, .timeLimit(.minutes(5))) struct SavepointTests {
    private struct Refused: Error {}

    private func newTable() async throws -> PostgresConnection {
        let connection = try await newConnection()
        try await connection.query("create table book (id int8 primary key)")
        return connection
    }

    private func books(_ connection: PostgresConnection) async throws -> [Int] {
        try await connection.query("select id from book order by id").map { row in try row[0, as: Int.self] }
    }

    @Test func whatFailsInASavepointIsUndoneAndTheRestStays() async throws {
        let connection = try await newTable()
        try await connection.withTransaction { connection in
            try await connection.query("insert into book values (1)")
            await #expect(throws: Refused.self) {
                try await connection.withSavepoint { connection in
                    try await connection.query("insert into book values (2)")
                    throw Refused()
                }
            }
            try await connection.withSavepoint { try await $0.query("insert into book values (3)") }
            let failed = await code {
                try await connection.withSavepoint { connection in
                    try await connection.query("insert into book values (4)")
                    try await connection.query("insert into book values (1)")
                }
            }
            #expect(failed == .sqlState(.uniqueViolation))
            try await connection.query("insert into book values (5)")
        }
        #expect(try await books(connection) == [1, 3, 5])
        #expect(connection.condition == .clean)
    }

    @Test func savepointsNest() async throws {
        let connection = try await newTable()
        try await connection.withTransaction { connection in
            try await connection.withSavepoint { connection in
                try await connection.query("insert into book values (1)")
                for isKept in [true, false] {
                    try? await connection.withSavepoint { connection in
                        try await connection.withSavepoint { connection in
                            try await connection.query("insert into book values (\(isKept ? 2 : 3))")
                        }
                        if !isKept { throw Refused() }
                    }
                }
                try await connection.query("insert into book values (4)")
            }
        }
        #expect(try await books(connection) == [1, 2, 4])
    }

    @Test func aSavepointWithoutStatementsNeverTalksToTheServer() async throws {
        let connection = try await newTable()
        try await connection.withTransaction { connection in
            let value = try await connection.withSavepoint { connection in
                try await connection.withSavepoint { _ in 7 }
            }
            #expect(value == 7)
            await #expect(throws: Refused.self) { try await connection.withSavepoint { _ in throw Refused() } }
            #expect(await connection.pendingBegin != nil)
        }
        #expect(connection.condition == .clean)
    }

    @Test func aSwallowedErrorEndsTheSavepointAndNotTheTransaction() async throws {
        let connection = try await newTable()
        try await connection.withTransaction { connection in
            let failed = await code {
                try await connection.withSavepoint { connection in
                    try await connection.query("insert into book values (1)")
                    _ = try? await connection.query("select 1 / 0")
                }
            }
            #expect(failed == .sqlState(.inFailedTransaction))
            try await connection.query("insert into book values (2)")
        }
        #expect(try await books(connection) == [2])
    }

    @Test func aScriptRunsInsideItsSavepoint() async throws {
        let connection = try await newTable()
        try await connection.withTransaction { connection in
            try? await connection.withSavepoint { connection in
                try await connection.run(script: "insert into book values (1); insert into book values (2)")
                throw Refused()
            }
            try await connection.withSavepoint { try await $0.run(script: "insert into book values (3)") }
        }
        #expect(try await books(connection) == [3])
    }

    /// Their statements would otherwise be undone together.
    @Test func savepointsOfSeveralTasksTakeTurns() async throws {
        let connection = try await newTable()
        // Other tests may have the processors for long.
        try await connection.withTransaction(deadline: .now + .seconds(300)) { connection in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1...12 {
                    group.addTask {
                        do {
                            try await connection.withSavepoint { connection in
                                try await connection.query("insert into book values (\(number))")
                                async let one: Rows = connection.query("insert into book values (\(number + 1000))")
                                async let two: Rows = connection.query("insert into book values (\(number + 2000))")
                                _ = try await (one, two)
                                if number % 4 == 0 { throw Refused() }
                                if number % 4 == 1 { try await connection.query("select 1 / 0") }
                            }
                        } catch is Refused {
                        } catch let error as PostgresError where error.sqlState?.rawValue == "22012" {}
                    }
                    group.addTask { try await connection.query("insert into book values (\(number + 3000))") }
                }
                try await group.waitForAll()
            }
        }
        let kept = (1...12).filter { $0 % 4 > 1 }
        let expected = kept + kept.map { $0 + 1000 } + kept.map { $0 + 2000 } + (3001...3012)
        #expect(try await books(connection) == expected)
    }

    /// A task that has reserved the connection and not sent yet must not find its statement inside of the savepoint of
    /// another one.
    @Test func aSavepointWaitsForAStatementAboutToBeSent() async throws {
        let connection = try await newTable()
        try await connection.withTransaction { connection in
            #expect(await connection.reserve())
            let task = Task {
                try? await connection.withSavepoint { connection in
                    try await connection.query("insert into book values (1)")
                    throw Refused()
                }
            }
            try await eventually("it waits") { await connection.waiting.count == 1 }
            #expect(await connection.openSavepoints.isEmpty)
            let batch = Batch(queries: ["insert into book values (2)"], ending: .stays)
            _ = try await connection.performReserved(batch, until: .now + .seconds(240))
            await connection.end()
            _ = await task.value
        }
        #expect(try await books(connection) == [2])
    }

    @Test func aCancelledSavepointIsUndoneAndTheTransactionGoesOn() async throws {
        let connection = try await newTable()
        try await connection.withTransaction { connection in
            try await connection.query("insert into book values (1)")
            let task = Task {
                await code {
                    try await connection.withSavepoint { connection in
                        try await connection.query("insert into book values (2)")
                        try await connection.query("select pg_sleep(600)")
                    }
                }
            }
            try await eventually("it sleeps") { await connection.exchange != nil }
            task.cancel()
            #expect(await task.value == .cancelled)
            try await connection.query("insert into book values (3)")
        }
        #expect(try await books(connection) == [1, 3])
    }

    @Test func aSavepointNeedsATransaction() async throws {
        let connection = try await newTable()
        #expect(await code { try await connection.withSavepoint { _ in } } == .busy)
    }

    @Test func aDeferrableReadOnlyTransactionWaitsForASafeMoment() async throws {
        let connection = try await newTable()
        try await connection.withTransaction(isolation: .serializable, isReadOnly: true, isDeferrable: true) {
            connection in
            let rows = try await connection.query("select current_setting('transaction_deferrable')")
            #expect(try rows[0][0, as: String.self] == "on")
        }
    }
}
