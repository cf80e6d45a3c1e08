import PrivateCluster
import Testing

@testable import Postgres

@Suite(.serialized, .timeLimit(.minutes(5))) struct PostgresConnectionTests {
    @Test func rowsComeWithTheirColumns() async throws {
        let connection = try await newConnection()
        let rows = try await connection.query("select n, n * n as square from generate_series(1, 3) as n")
        #expect(rows.columns == ["n", "square"])
        #expect(try rows.map { row in try row["square", as: Int.self] } == [1, 4, 9])
        #expect(rows.affected == 3)
    }

    @Test func statementsWithoutRowsTellWhatTheyAffected() async throws {
        let connection = try await newConnection()
        #expect(try await connection.query("create table book (title text)").isEmpty)
        #expect(try await connection.query("insert into book values (\("a")), (\("b"))").affected == 2)
        #expect(try await connection.query("").isEmpty)
    }

    @Test func anErrorTellsItsStateAndConstraintAndNoData() async throws {
        let connection = try await newConnection()
        try await connection.query("create table book (title text constraint one_title unique)")
        try await connection.query("insert into book values (\("secret"))")
        let error = await #expect(throws: PostgresError.self) {
            try await connection.query("insert into book values (\("secret"))")
        }
        #expect(error?.code == .sqlState(.uniqueViolation))
        #expect(error?.constraint == "one_title")
        #expect(error?.description == "unique violation (SQLSTATE 23505, constraint one_title)")
        #expect(error?.debugDescription.contains("secret") == true)
        #expect(error?.isRetryable == false)
        #expect(try await connection.query("select 1").count == 1)
    }

    @Test func aStatementIsPreparedOnceAndFoundByItsName() async throws {
        let connection = try await newConnection()
        for number in 1...3 {
            #expect(try await connection.query("select \(number) + 0")[0][0, as: Int.self] == number)
        }
        let rows = try await connection.query(
            "select name from pg_prepared_statements where statement = 'select $1 + 0'"
        )
        #expect(try rows.map { row in try row[0, as: String.self] } == [StatementCache.name(of: "select \(1) + 0")])
    }

    @Test func aStatementThatCannotBePreparedIsNotRemembered() async throws {
        let connection = try await newConnection()
        for _ in 1...2 {
            #expect(await code { try await connection.query("select * from absent") } == .sqlState(.undefinedTable))
        }
        try await connection.query("create table absent (n int8)")
        #expect(try await connection.query("select * from absent").isEmpty)
    }

    @Test func aSecondOperationAtTheSameTimeIsRefused() async throws {
        let connection = try await newConnection()
        let first = Task { await code { try await connection.query("select pg_sleep(60)") } }
        try await eventually("the first has begun") { await connection.isBusy }
        #expect(await code { try await connection.query("select 1") } == .busy)
        first.cancel()
        #expect(await first.value == .cancelled)
    }

    @Test func aTableThatChangedIsReadAnewWithItsNewColumns() async throws {
        let configuration = try await newDatabase()
        let connection = try await PostgresConnection.connect(configuration)
        let other = try await PostgresConnection.connect(configuration)
        try await connection.query("create table book (title text)")
        #expect(try await connection.query("select * from book").columns == ["title"])
        try await other.query("alter table book add column year int4")
        #expect(try await connection.query("select * from book").columns == ["title", "year"])
        // Only the repeated one is prepared: everything older was deallocated.
        let prepared = try await connection.query("select statement from pg_prepared_statements order by 1")
        #expect(try prepared.map { row in try row[0, as: String.self] }.contains("select * from book"))

        try await other.query("alter table book drop column year")
        let inBlock = await code {
            try await connection.withTransaction { connection in
                try await connection.query("select 1")
                try await connection.query("select * from book")
            }
        }
        #expect(inBlock == .sqlState(.featureNotSupported))
        #expect(try await connection.query("select * from book").columns == ["title"])
    }

    @Test func deallocatedStatementsArePreparedAnew() async throws {
        let connection = try await newConnection()
        #expect(try await connection.query("select \(1)").count == 1)
        try await connection.run(script: "discard all")
        #expect(try await connection.query("select \(1)").count == 1)
    }

    @Test func largeParametersAndResultsPassBothWays() async throws {
        let connection = try await newConnection()
        // Far more than the socket's buffers hold: the server answers the first statements while the later ones are
        // still being sent, and stops reading if nobody takes the answers.
        let bytes = [UInt8](repeating: 42, count: 3 << 20)
        let echoes = try await connection.transaction(Array(repeating: "select \(bytes)", count: 8))
        #expect(echoes.count == 8)
        #expect(try echoes.allSatisfy { rows in try rows[0][0, as: [UInt8].self] == bytes })

        let result = try await connection.query("select repeat('x', 1000) as line from generate_series(1, 40000)")
        #expect(result.count == 40_000)
    }

    @Test func scriptsOfSeveralStatementsAreOneTransaction() async throws {
        let connection = try await newConnection()
        try await connection.run(script: "create table a (n int8); insert into a values (1); select * from a")
        let failed = await code {
            try await connection.run(script: "insert into a values (2); select 1 / 0; insert into a values (3)")
        }
        #expect(failed == .sqlState(SQLState(rawValue: "22012")))
        #expect(try await connection.query("select count(*) from a")[0][0, as: Int.self] == 1)
    }

    @Test func copyIsRefused() async throws {
        let configuration = try await newDatabase()
        for isScript in [true, false] {
            let connection = try await PostgresConnection.connect(configuration)
            let failed = await code {
                if isScript {
                    try await connection.run(script: "copy (select 1) to stdout")
                } else {
                    try await connection.query("copy (select 1) to stdout")
                }
            }
            #expect(failed != nil)
            #expect(connection.condition == .closed)
        }
    }

    @Test func notificationsArriveWhileIdle() async throws {
        let configuration = try await newDatabase()
        let listener = try await PostgresConnection.connect(configuration)
        let other = try await PostgresConnection.connect(configuration)
        try await listener.query("listen runs")
        try await other.query("select pg_notify('runs', \("wake up"))")
        var notifications = listener.notifications.makeAsyncIterator()
        let notification = await notifications.next()
        #expect(notification?.channel == "runs")
        #expect(notification?.payload == "wake up")
        await listener.close()
        #expect(await notifications.next() == nil)
    }

    @Test func aClosedConnectionRefusesEverything() async throws {
        let connection = try await newConnection()
        await connection.close()
        #expect(connection.condition == .closed)
        #expect(await code { try await connection.query("select 1") } == .closed)
        #expect(await code { try await connection.withTransaction { _ in } } == .closed)
        #expect(await connection.settle() == false)
    }

    @Test func closingEndsTheOperationUnderWay() async throws {
        let connection = try await newConnection()
        async let failure = code { try await connection.query("select pg_sleep(60)", isReadOnly: true) }
        try await eventually("it has begun") { await connection.isBusy }
        await connection.close()
        #expect(await failure == .closed)
    }

    @Test func anAbandonedConnectionIsReleasedByItself() async throws {
        let configuration = try await newDatabase()
        let observer = try await PostgresConnection.connect(configuration)
        var connection: PostgresConnection? = try await PostgresConnection.connect(configuration)
        let backend = try #require(await connection?.backendID)
        connection = nil
        try await eventually("the backend is gone") {
            try await observer.query("select from pg_stat_activity where pid = \(backend)").isEmpty
        }
    }
}
