import Testing

@testable import Postgres

@Suite(.serialized, .timeLimit(.minutes(5))) struct MigrationsTests {
    private let first = Migration(
        number: 1,
        name: "create_book",
        sql: "create table book (id int8); create table author (id int8)"
    )
    private let second = Migration(number: 2, name: "add_title", sql: "alter table book add column title text")

    private func error(_ body: () async throws -> Void) async -> String? {
        await #expect(throws: MigrationError.self) { try await body() }?.description
    }

    @Test func eachIsAppliedOnceAndInOrder() async throws {
        let connection = try await newConnection()
        let migrations = try Migrations([second, first])
        #expect(try await migrations.plan(on: connection) == [first, second])
        #expect(try await migrations.apply(on: connection) == [first, second])
        #expect(try await migrations.plan(on: connection) == [])
        #expect(try await migrations.apply(on: connection) == [])
        let rows = try await connection.query(
            "select number, name, length(checksum), applied_at <= now() from octavo_migration order by 1"
        )
        #expect(try rows.map { row in try row[1, as: String.self] } == ["create_book", "add_title"])
        #expect(try rows[0][2, as: Int.self] == 64)
        #expect(try rows[0][3, as: Bool.self])
        #expect(connection.condition == .clean)
    }

    @Test func planningChangesNothing() async throws {
        let connection = try await newConnection()
        #expect(try await Migrations([first]).plan(on: connection) == [first])
        #expect(try await connection.query("select to_regclass('octavo_migration') is null")[0][0, as: Bool.self])
    }

    @Test func aFailedOneLeavesTheEarlierOnesAndNothingOfItself() async throws {
        let connection = try await newConnection()
        let broken = Migration(number: 2, name: "broken", sql: "create table reader (id int8); select 1 / 0")
        let text = await error { try await Migrations([first, broken]).apply(on: connection) }
        #expect(text?.hasPrefix("Migration 2 (broken) failed: ") == true)
        #expect(try await connection.query("select to_regclass('reader') is null")[0][0, as: Bool.self])
        #expect(try await Migrations([first, second]).apply(on: connection) == [second])
    }

    @Test func anEditedOneIsRefused() async throws {
        let connection = try await newConnection()
        try await Migrations([first]).apply(on: connection)
        let edited = Migration(number: 1, name: "create_book", sql: first.sql + " ")
        let text = await error { try await Migrations([edited, second]).apply(on: connection) }
        #expect(text?.hasPrefix("Migration 1 (create_book) was edited") == true)
    }

    @Test func aNewerDatabaseIsRefused() async throws {
        let connection = try await newConnection()
        try await Migrations([first, second]).apply(on: connection)
        let text = await error { _ = try await Migrations([first]).plan(on: connection) }
        #expect(text?.hasPrefix("The database has migration 2 (add_title)") == true)
    }

    @Test func oneBelowTheLastAppliedIsRefused() async throws {
        let connection = try await newConnection()
        try await Migrations([second].map { Migration(number: $0.number, name: $0.name, sql: "select 1") }).apply(
            on: connection
        )
        let later = Migration(number: 2, name: "add_title", sql: "select 1")
        let text = await error { try await Migrations([first, later]).apply(on: connection) }
        #expect(text?.hasPrefix("Migration 1 (create_book) was added after number 2") == true)
    }

    @Test func oneThatEndsItsTransactionIsRefused() async throws {
        let connection = try await newConnection()
        let ending = Migration(number: 1, name: "ending", sql: "create table a (id int8); commit")
        let text = await error { try await Migrations([ending]).apply(on: connection) }
        #expect(text?.hasPrefix("Migration 1 (ending) ends its own transaction") == true)
        #expect(connection.condition == .clean)
    }

    @Test(arguments: [[0], [-1], [1, 1]])
    func badNumbersAreRefused(numbers: [Int]) {
        #expect(throws: MigrationError.self) {
            try Migrations(numbers.map { Migration(number: $0, name: "a", sql: "") })
        }
    }

    @Test func howEachStandsIsSaidWithoutChangingAnything() async throws {
        let connection = try await newConnection()
        let third = Migration(number: 3, name: "third", sql: "select 3")
        let before = try await Migrations([first]).standings(on: connection)
        #expect(before.map(\.state) == [.missing])
        try await Migrations([first, third]).apply(on: connection)
        let edited = Migration(number: 1, name: "create_book", sql: first.sql + " ")
        let fourth = Migration(number: 4, name: "fourth", sql: "select 4")
        let standings = try await Migrations([edited, second, fourth]).standings(on: connection)
        #expect(standings.map(\.number) == [1, 2, 3, 4])
        #expect(standings.map(\.state) == [.edited, .misplaced(behind: 3), .unknown, .missing])
        #expect(standings.map { $0.error == nil } == [false, false, false, true])
        let applied = try await Migrations([first, third]).standings(on: connection)
        for standing in applied {
            guard case .applied(let time) = standing.state else { throw Missing() }
            #expect(time.hasSuffix("Z") && time.contains("T"))
        }
    }

    private struct Missing: Error {}

    @Test func thoseWhoApplyTogetherTakeTurns() async throws {
        let configuration = try await newDatabase()
        let migrations = try Migrations([first, second])
        let applied = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<5 {
                group.addTask {
                    let connection = try await PostgresConnection.connect(configuration)
                    return try await migrations.apply(on: connection).count
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(applied == 2)
    }
}
