import PrivateCluster
import Testing

@testable import Postgres

/// The same through pgbouncer in transaction mode, which gives each transaction any of two sessions.
@Suite(.serialized, .timeLimit(.minutes(5))) struct PgBouncerTests {
    private func withBouncer(
        clients: Int = 5,
        _ body: @Sendable @escaping (ConnectionPool, PostgresConfiguration) async throws -> Void
    ) async throws {
        let cluster = try await PrivateCluster.shared()
        let database = try #require(try await newDatabase().database)
        let bouncer = try await PgBouncer(before: cluster, sessions: 2)
        let configuration = try patient(
            PostgresConfiguration(bouncer.connectionString(database, role: cluster.role))
        )
        var limits = PoolConfiguration()
        limits.size = clients
        limits.maximumWaiters = 1000
        limits.maximumWait = .seconds(60)
        try await withPool(configuration, limits: limits) { pool in
            try await pool.query("create table book (id int8 primary key, title text)")
            try await body(pool, configuration)
        }
        withExtendedLifetime(bouncer) {}
    }

    private func value<Value: PostgresDecodable>(_ query: Query, in pool: ConnectionPool) async throws -> Value {
        try await pool.query(query)[0][0, as: Value.self]
    }

    @Test func manyClientsShareFewSessions() async throws {
        try await withBouncer(clients: 20) { pool, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1...300 {
                    group.addTask {
                        try await pool.query("insert into book values (\(number), \("title"))")
                        let rows = try await pool.read("select title from book where id = \(number)")
                        #expect(rows.count == 1)
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await value("select count(*) from book", in: pool) == 300)
            let sessions = try await pool.query(
                "select count(*) from pg_stat_activity where datname = current_database()"
            )
            let count = try sessions[0][0, as: Int.self]
            #expect(count <= 2)
            let prepared = try await pool.query("select count(*) from pg_prepared_statements")
            #expect(try prepared[0][0, as: Int.self] == 0)
        }
    }

    @Test func transactionsAndSavepointsStayOnTheirSession() async throws {
        try await withBouncer { pool, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1...20 {
                    group.addTask {
                        try await pool.withTransaction(isolation: .repeatableRead, deadline: .now + .seconds(300)) {
                            connection in
                            try await connection.query("insert into book values (\(number), \("a"))")
                            try? await connection.withSavepoint { connection in
                                try await connection.query("insert into book values (\(number + 100), \("b"))")
                                try await connection.query("select 1 / 0")
                            }
                            async let one: Rows = connection.query("insert into book values (\(number + 200), null)")
                            async let two: Rows = connection.query("insert into book values (\(number + 300), null)")
                            _ = try await (one, two)
                        }
                    }
                }
                try await group.waitForAll()
            }
            let rows = try await pool.query("select count(*), count(*) filter (where title = 'b') from book")
            #expect(try rows[0][0, as: Int.self] == 60)
            #expect(try rows[0][1, as: Int.self] == 0)
        }
    }

    @Test func batchesAreOneTransaction() async throws {
        try await withBouncer { pool, _ in
            let failed = await code {
                try await pool.transaction([
                    "insert into book values (1)", "insert into book values (2)", "insert into book values (1)",
                ])
            }
            #expect(failed == .sqlState(.uniqueViolation))
            try await pool.transaction(["insert into book values (3)"], isolation: .serializable)
            #expect(try await value("select id from book", in: pool) == 3)
        }
    }

    @Test func aReadThatWritesIsRefused() async throws {
        try await withBouncer { pool, _ in
            #expect(
                await code { try await pool.read("insert into book values (1)") } == .sqlState(.readOnlyTransaction)
            )
        }
    }

    @Test func timeLimitsComeWithTheTransactionAndGoWithIt() async throws {
        try await withBouncer(clients: 1) { pool, _ in
            let limit: Query = "select current_setting('statement_timeout')"
            let inside = try await pool.withTransaction { try await $0.query(limit)[0][0, as: String.self] }
            #expect(inside == "4min")
            #expect(try await value(limit, in: pool) == "0")
        }
    }

    @Test func aGivenUpStatementIsCancelled() async throws {
        try await withBouncer(clients: 1) { pool, _ in
            for _ in 1...2 {
                let failed = await code {
                    try await pool.query("select pg_sleep(600)", isReadOnly: true, deadline: .now + .milliseconds(100))
                }
                #expect(failed == .timedOut)
                let next = try await pool.query("select 1")
                #expect(next.count == 1)
            }
        }
    }

    @Test func migrationsAreAppliedOnceByManyAtATime() async throws {
        let migrations = try Migrations([
            Migration(number: 1, name: "one", sql: "create table author (id int8)"),
            Migration(number: 2, name: "two", sql: "alter table author add column name text; select 1"),
        ])
        try await withBouncer { pool, _ in
            let applied = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 1...5 {
                    group.addTask { try await pool.withConnection { try await migrations.apply(on: $0).count } }
                }
                return try await group.reduce(0, +)
            }
            #expect(applied == 2)
        }
    }

    @Test func aTableThatChangedIsReadWithItsNewColumns() async throws {
        try await withBouncer { pool, _ in
            #expect(try await pool.query("select * from book").columns == ["id", "title"])
            try await pool.query("alter table book add column year int4")
            for _ in 1...4 {
                let rows = try await pool.query("select * from book")
                #expect(rows.columns.count == 3)
            }
        }
    }
}
