import Contract
import OctavoTesting
import Postgres
import RPC

/// What it costs to leave nothing behind after a test. Every test stores a reader, a book with two authors and an entry of
/// the reading list, and reads the list, through the storage service and its socket.
///
///     swift run octavo-testing-benchmark [TESTS]
@main enum Benchmark {
    static func main() async throws {
        let count = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 200
        guard count >= 10 else { return print("At least 10 tests.") }
        // Starts Postgres, which is no test's cost.
        try await TestStorage.rolledBack { try await test() }
        print(column("after each test", 40), column("tests", 8), "ms a test")
        try await TestStorage.run { storage in
            try await report("nothing is removed", count) { try await test() }
            let tables = try await Tables(storage)
            try await report("every table is truncated", count) {
                try await test()
                try await tables.truncate()
            }
        }
        try await report("its database, cloned for it, is left", count / 10) {
            try await TestStorage.run { _ in try await test() }
        }
        try await report("it is rolled back", count) { try await TestStorage.rolledBack { try await test() } }
        try await report("it is rolled back, all tests at once", count, atOnce: true) {
            try await TestStorage.rolledBack { try await test() }
        }
    }

    private static func test() async throws {
        let entry = try await ReadingListEntryFactory(book: BookFactory(authors: 2)).create()
        let list = try await TestStorage.client.perform(GetReadingList(reader: entry.reader.id))
        precondition(list.entries.count == 1)
    }

    private static func report(
        _ name: String,
        _ count: Int,
        atOnce: Bool = false,
        _ test: @Sendable @escaping () async throws -> Void
    ) async throws {
        let time = try await ContinuousClock().measure {
            if atOnce {
                try await withThrowingDiscardingTaskGroup { group in
                    for _ in 0..<count { group.addTask { try await test() } }
                }
            } else {
                for _ in 0..<count { try await test() }
            }
        }
        print(column(name, 40), column("\(count)", 8), milliseconds(time / count))
    }

    private static func column(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private static func milliseconds(_ time: Duration) -> String {
        let hundredths = Int(time / .microseconds(10))
        return "\(hundredths / 100).\(hundredths / 10 % 10)\(hundredths % 10)"
    }
}

/// All tables of a database, emptied as tests without a transaction of their own have to.
private struct Tables: Sendable {
    private let connection: PostgresConnection
    private let statement: String

    init(_ storage: TestStorage) async throws {
        connection = try await PostgresConnection.connect(PostgresConfiguration(storage.connectionString))
        let names = try await connection.query(
            """
            select string_agg(quote_ident(tablename), ', ') from pg_tables
            where schemaname = 'public' and tablename <> 'octavo_migration'
            """
        )
        statement = "truncate \(try names[0][0, as: String.self]) restart identity cascade"
    }

    func truncate() async throws {
        try await connection.query("\(unsafe: statement)")
    }
}
