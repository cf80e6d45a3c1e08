import Testing

@testable import Postgres

/// What goes wrong between a batch and its sync.
@Suite(.serialized, .timeLimit(.minutes(5))) struct PipelineFaultTests {
    @Test func anAbortedPipelineLeavesTheConnectionClean() async throws {
        let connection = try await newConnection()
        try await connection.query("create table book (id int8 primary key)")
        for position in 0..<4 {
            var queries: [Query] = (0..<3).map { "insert into book values (\($0))" }
            queries.insert("select 1 / 0", at: position)
            #expect(await code { try await connection.transaction(queries) } == .sqlState(SQLState(rawValue: "22012")))
            #expect(connection.condition == .clean)
        }
        #expect(try await connection.query("select from book").isEmpty)
    }

    /// A statement is known as prepared as soon as it is sent; if that is aborted, it must be forgotten.
    @Test func whatAnAbortedPipelineWasToPrepareIsPreparedLater() async throws {
        let connection = try await newConnection()
        for _ in 1...2 {
            #expect(
                await code { try await connection.transaction(["select 1 / 0", "select \(7) + 1"]) }
                    == .sqlState(SQLState(rawValue: "22012"))
            )
        }
        #expect(try await connection.query("select \(7) + 1")[0][0, as: Int.self] == 8)
    }

    /// Every statement says that it is done, and then comes an error in the place of the sync.
    @Test func aDeferredConstraintThatFailsAtTheSyncFailsTheBatch() async throws {
        let connection = try await newConnection()
        try await connection.query("create table book (id int8 unique deferrable initially deferred)")
        for _ in 1...2 {
            #expect(
                await code {
                    try await connection.transaction(["insert into book values (1)", "insert into book values (1)"])
                } == .sqlState(.uniqueViolation)
            )
            #expect(connection.condition == .clean)
        }
        #expect(try await connection.query("select from book").isEmpty)
        let failed = await code {
            try await connection.query("insert into book select 1 from generate_series(1, 2)")
        }
        #expect(failed == .sqlState(.uniqueViolation))
    }

    /// 0A000, "cached plan must not change result type".
    @Test func aCachedPlanThatChangedItsResultIsPreparedAnewOnce() async throws {
        let configuration = try await newDatabase()
        let connection = try await PostgresConnection.connect(configuration)
        let other = try await PostgresConnection.connect(configuration)
        try await connection.query("create table book (title text)")
        for column in 1...3 {
            #expect(try await connection.query("select * from book").columns.count == column)
            try await other.query(Query(unsafe: "alter table book add column c\(column) int4"))
            #expect(
                try await connection.transaction(["select 1", "select * from book"])[1].columns.count == column + 1
            )
        }
    }

    @Test func aCachedPlanInsideATransactionIsAnErrorThatTheNextOneDoesNotSee() async throws {
        let configuration = try await newDatabase()
        let connection = try await PostgresConnection.connect(configuration)
        let other = try await PostgresConnection.connect(configuration)
        try await connection.query("create table book (title text)")
        #expect(try await connection.query("select * from book").columns == ["title"])
        try await other.query("alter table book add column year int4")
        let read: @Sendable () async throws -> [String] = {
            try await connection.withTransaction { connection in
                try await connection.query("select 1")
                return try await connection.query("select * from book").columns
            }
        }
        #expect(await code { try await read() } == .sqlState(.featureNotSupported))
        #expect(try await read() == ["title", "year"])
    }

    /// The server stops reading while nobody takes its answers.
    @Test func aBatchLargerThanAllBuffersBothWaysDoesNotHang() async throws {
        let connection = try await newConnection()
        let bytes = [UInt8](repeating: 42, count: 1 << 20)
        let echoes = try await connection.transaction(Array(repeating: "select \(bytes)", count: 16))
        #expect(echoes.count == 16)
    }
}
