import Testing

@testable import Postgres

@Suite(.serialized, .timeLimit(.minutes(5))) struct TransactionTests {
    private struct Refused: Error {}

    private func newTable() async throws -> PostgresConnection {
        let connection = try await newConnection()
        try await connection.run(
            script: """
                create table book (
                    id int8 primary key, place int8 constraint one_place unique deferrable initially deferred
                )
                """
        )
        return connection
    }

    private func books(_ connection: PostgresConnection) async throws -> [Int] {
        try await connection.query("select id from book order by id").map { row in try row[0, as: Int.self] }
    }

    @Test(arguments: [nil, Isolation.serializable])
    func statementsKnownBeforehandAreOneTransaction(isolation: Isolation?) async throws {
        let connection = try await newTable()
        let results = try await connection.transaction(
            ["insert into book values (1)", "select id from book", "select current_setting('transaction_isolation')"],
            isolation: isolation
        )
        #expect(results.count == 3)
        #expect(try results[1][0][0, as: Int.self] == 1)
        #expect(try results[2][0][0, as: String.self] == (isolation ?? .readCommitted).rawValue)
        #expect(connection.condition == .clean)
    }

    @Test(arguments: [nil, Isolation.readCommitted])
    func anErrorAnywhereUndoesAllAndLeavesTheConnectionClean(isolation: Isolation?) async throws {
        let connection = try await newTable()
        for position in 0..<3 {
            var queries: [Query] = ["insert into book values (1)", "insert into book values (2)"]
            queries.insert("insert into absent values (1)", at: position)
            #expect(
                await code { try await connection.transaction(queries, isolation: isolation) }
                    == .sqlState(.undefinedTable)
            )
            #expect(connection.condition == .clean)
        }
        #expect(try await books(connection) == [])
    }

    @Test(arguments: [nil, Isolation.readCommitted])
    func aDeferredConstraintFailsAtTheEndAndUndoesAll(isolation: Isolation?) async throws {
        let connection = try await newTable()
        let error = await #expect(throws: PostgresError.self) {
            try await connection.transaction(
                ["insert into book values (1, 1)", "insert into book values (2, 1)"],
                isolation: isolation
            )
        }
        #expect(error?.code == .sqlState(.uniqueViolation))
        #expect(error?.constraint == "one_place")
        #expect(connection.condition == .clean)
        #expect(try await books(connection) == [])
    }

    @Test func aSingleStatementFailsAtItsDeferredConstraintToo() async throws {
        let connection = try await newTable()
        #expect(
            await code { try await connection.query("insert into book values (1, 1), (2, 1)") }
                == .sqlState(.uniqueViolation)
        )
        #expect(try await books(connection) == [])
    }

    @Test func aBodyCommitsWhenItReturns() async throws {
        let connection = try await newTable()
        let sum = try await connection.withTransaction { connection in
            try await connection.query("insert into book values (1)")
            let rows = try await connection.transaction([
                "insert into book values (2)", "select sum(id)::int8 from book",
            ])
            return try rows[1][0][0, as: Int.self]
        }
        #expect(sum == 3)
        #expect(try await books(connection) == [1, 2])
        #expect(connection.condition == .clean)
    }

    @Test func aBodyThatThrowsIsRolledBack() async throws {
        let connection = try await newTable()
        await #expect(throws: Refused.self) {
            try await connection.withTransaction { connection in
                try await connection.query("insert into book values (1)")
                throw Refused()
            }
        }
        #expect(connection.condition == .clean)
        #expect(try await books(connection) == [])
    }

    @Test func aBodyThatSwallowsAnErrorIsNotCommitted() async throws {
        let connection = try await newTable()
        let failed = await code {
            try await connection.withTransaction { connection in
                try await connection.query("insert into book values (1)")
                _ = try? await connection.query("select 1 / 0")
            }
        }
        #expect(failed == .sqlState(.inFailedTransaction))
        #expect(try await books(connection) == [])
    }

    @Test func aDeferredConstraintFailsAtTheCommit() async throws {
        let connection = try await newTable()
        let failed = await code {
            try await connection.withTransaction { connection in
                try await connection.query("insert into book values (1, 1)")
                try await connection.query("insert into book values (2, 1)")
            }
        }
        #expect(failed == .sqlState(.uniqueViolation))
        #expect(try await books(connection) == [])
    }

    @Test func aBodyWithoutStatementsNeverTalksToTheServer() async throws {
        let connection = try await newTable()
        #expect(try await connection.withTransaction { _ in 7 } == 7)
        await #expect(throws: Refused.self) { try await connection.withTransaction { _ in throw Refused() } }
        #expect(connection.condition == .clean)
    }

    @Test func transactionsDoNotNest() async throws {
        let connection = try await newTable()
        try await connection.withTransaction { connection in
            try await connection.query("insert into book values (1)")
            #expect(await code { try await connection.withTransaction { _ in } } == .busy)
        }
        #expect(try await books(connection) == [1])
    }

    @Test func isolationAndReadOnlyReachTheServer() async throws {
        let connection = try await newTable()
        let failed = await code {
            try await connection.withTransaction(isolation: .repeatableRead, isReadOnly: true) { connection in
                let rows = try await connection.query("select current_setting('transaction_isolation')")
                #expect(try rows[0][0, as: String.self] == "repeatable read")
                try await connection.query("insert into book values (1)")
            }
        }
        #expect(failed == .sqlState(.readOnlyTransaction))
    }

    @Test func aSerializationFailureIsRetryable() async throws {
        let configuration = try await newDatabase()
        let one = try await PostgresConnection.connect(configuration)
        let other = try await PostgresConnection.connect(configuration)
        try await one.run(script: "create table counter (n int8); insert into counter values (0)")
        let error = await #expect(throws: PostgresError.self) {
            try await one.withTransaction(isolation: .repeatableRead) { one in
                try await one.query("select n from counter")
                try await other.query("update counter set n = n + 1")
                try await one.query("update counter set n = n + 1")
            }
        }
        #expect(error?.code == .sqlState(.serializationFailure))
        #expect(error?.isRetryable == true)
        #expect(one.condition == .clean)
    }

    @Test func theTransactionsDeadlineBoundsItsStatements() async throws {
        let connection = try await newTable()
        let failed = await code {
            try await connection.withTransaction(deadline: .now + .milliseconds(200)) { connection in
                try await connection.query("insert into book values (1)")
                try await connection.query("select pg_sleep(60)", deadline: .now + .seconds(60))
            }
        }
        #expect(failed == .timedOut)
        #expect(try await books(connection) == [])
    }

    @Test func aBatchGivenUpLeavesNoOpenBlockBehind() async throws {
        var configuration = try await newDatabase()
        // Whoever gives up does not even wait for the outcome.
        configuration.grace = .zero
        let connection = try await PostgresConnection.connect(configuration)
        let failed = await code {
            try await connection.transaction(
                ["select pg_sleep(60)", "select 1"],
                isolation: .serializable,
                deadline: .now + .milliseconds(100)
            )
        }
        #expect(failed == .outcomeUnknown || failed == .timedOut)
        #expect(try await connection.query("select 1").count == 1)
        #expect(connection.condition == .clean)
    }

    @Test func tooManyStatementsAreRefused() async throws {
        let connection = try await newConnection()
        let queries = [Query](repeating: "select 1", count: Batch.maximumQueries + 1)
        #expect(await code { try await connection.transaction(queries) } == .invalidParameter)
        #expect(try await connection.transaction(queries.dropLast()).count == Batch.maximumQueries)
        #expect(try await connection.transaction([]).isEmpty)
    }
}
