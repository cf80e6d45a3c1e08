import PrivateCluster
import Testing

@testable import Postgres

@Suite(.serialized, .timeLimit(.minutes(5))) struct KeyedReadsTests {
    private func title(_ book: Int, in language: String = "en") -> Query {
        "select id, title from book where id = \(key: book) and language = \(language)"
    }

    @Test func readsThatDifferOnlyInTheirKeyAreOneStatement() {
        let reads = KeyedReads([title(3), "select 1", title(1), title(3)])
        #expect(
            reads.queries.map(\.sql) == [
                "select id, title from book where id = any($1) and language = $2", "select 1",
            ]
        )
    }

    @Test func aKeyAloneIsReadByThePlainStatement() {
        let reads = KeyedReads([title(3), title(3)])
        #expect(reads.queries.map(\.sql) == ["select id, title from book where id = $1 and language = $2"])
    }

    @Test func readsThatDifferInMoreThanTheirKeyStayApart() {
        let reads = KeyedReads([title(1), title(2, in: "de"), title(3, in: "de"), title(4)])
        #expect(reads.queries.count == 3)
    }

    @Test func aStatementReadsForSoManyKeysAndNoMore() {
        let reads = KeyedReads((1...KeyedReads.mostKeys * 2 + 1).map { title($0) })
        #expect(reads.queries.count == 3)
        #expect(reads.queries.map(\.readsSeveral) == [true, true, false])
    }

    @Test func everyReaderGetsTheRowsOfItsOwnKey() async throws {
        try await withPool(newDatabase()) { pool in
            try await pool.query("create table book (id int8, language text, title text)")
            try await pool.query(
                "insert into book select id / 2, 'en', 'Book ' || id from generate_series(2, 201) as id"
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<400 {
                    group.addTask {
                        let book = number % 120
                        let rows = try await pool.read(title(book))
                        let titles = try rows.map { row throws in try row["title", as: String.self] }
                        #expect(
                            titles.sorted()
                                == ((1...100).contains(book) ? ["Book \(book * 2)", "Book \(book * 2 + 1)"] : [])
                        )
                        #expect(rows.affected == rows.count)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func anErrorOfOneKeyReachesNoOther() async throws {
        try await withPool(newDatabase()) { pool in
            try await pool.query("create table book (id int8)")
            try await pool.query("insert into book select generate_series(1, 50)")
            let failed = try await withThrowingTaskGroup(of: Int?.self) { group in
                for book in 1...50 {
                    group.addTask {
                        do throws(PostgresError) {
                            let rows = try await pool.read("select id, 1 / (id - 7) from book where id = \(key: book)")
                            #expect(rows.count == 1)
                            return nil
                        } catch {
                            #expect(error.code == .sqlState(SQLState(rawValue: "22012")))
                            return book
                        }
                    }
                }
                return try await group.reduce(into: [Int]()) { books, book in if let book { books.append(book) } }
            }
            #expect(failed == [7])
        }
    }

    /// What misses its key as first column is read by each alone: slower, never wrong.
    @Test func aStatementThatDoesNotNameItsKeyIsReadAlone() async throws {
        try await withPool(newDatabase()) { pool in
            try await pool.query("create table book (id int8, title text)")
            try await pool.query("insert into book select id, 'Book ' || id from generate_series(1, 50) as id")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for book in 1...50 {
                    group.addTask {
                        let rows = try await pool.read("select title from book where id = \(key: book)")
                        #expect(try rows.map { row throws in try row[0, as: String.self] } == ["Book \(book)"])
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func insideATransactionTheKeyIsAParameterLikeAnother() async throws {
        try await withPool(newDatabase()) { pool in
            try await pool.query("create table book (id int8, language text, title text)")
            try await pool.query("insert into book values (1, 'en', 'One')")
            let rows = try await pool.withTransaction { try await $0.query(title(1)) }
            #expect(try rows[0]["title", as: String.self] == "One")
        }
    }
}
