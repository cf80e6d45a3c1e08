import Contract
import Postgres
import TestSupport
import Testing

/// What a misspelt word may mean, and the words it is compared with: functions and tables of the database itself.
@Suite(.serialized) struct SpellingTests {
    private struct Meant: Equatable {
        var word: String
        var slips: Int
        var confidence: Double
    }

    private func withDatabase(_ body: (PostgresConnection) async throws -> Void) async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(TestDatabase.make()))
        try await body(connection)
        await connection.close()
    }

    /// What a word may mean where the books hold these words, each in so many sections.
    private func meant(
        by given: String,
        among words: [(String, Int)],
        elsewhere: [(String, Int)] = [],
        in book: Int? = nil
    ) async throws -> [Meant] {
        var result: [Meant] = []
        try await withDatabase { connection in
            try await connection.query("insert into book (title) values ('One'), ('Two')")
            for (number, words) in [words, elsewhere].enumerated() {
                for (word, sections) in words {
                    try await connection.query(
                        """
                        insert into spelling (word, book_id, stem, sections)
                        values (\(word), \(number + 1), octavo_stem(\(word)), \(sections))
                        """
                    )
                }
            }
            let rows = try await connection.query("select word, slips, confidence from octavo_meant(\(given), \(book))")
            result = try rows.map { row in
                Meant(
                    word: try row["word", as: String.self],
                    slips: Int(try row["slips", as: Int32.self]),
                    confidence: try row["confidence", as: Double.self]
                )
            }
        }
        return result
    }

    @Test(arguments: [
        ("vaccum", "vacuum", 1), ("conection", "connection", 1), ("tirgger", "trigger", 1), ("indexx", "index", 1),
        ("authentification", "authentication", 2), ("max_conections", "max_connections", 1),
    ])
    func aSlipIsSeenThrough(given: String, word: String, slips: Int) async throws {
        let words = ["vacuum", "connection", "trigger", "index", "authentication", "max_connections", "unrelated"]
        let meant = try await meant(by: given, among: words.map { ($0, 10) })
        #expect(meant.map(\.word) == [word])
        #expect(meant.first?.slips == slips)
        #expect(abs((meant.first?.confidence ?? 0) - (1 - 0.1 * Double(slips))) < 0.001)
    }

    @Test func theFrequentWordIsTheLikelier() async throws {
        let meant = try await meant(by: "tabel", among: [("table", 300), ("label", 200)])
        #expect(meant.map(\.word) == ["table"])
        let close = try await self.meant(by: "cursors", among: [("cursor", 30), ("cursory", 20)])
        #expect(close.map(\.word) == ["cursor", "cursory"])
        #expect(close.map(\.confidence) == [0.9, 0.4])
    }

    @Test func shortWordsMayHaveOneSlipOnly() async throws {
        #expect(try await meant(by: "lakc", among: [("lack", 5), ("like", 50)]).map(\.word) == ["lack"])
        #expect(try await meant(by: "wxyl", among: [("wal", 50)]).isEmpty)
    }

    @Test func aWordNothingIsLikeMayBeABeginning() async throws {
        let words = [("synchronization", 7), ("synchronous_commit", 9), ("replication", 50)]
        let meant = try await meant(by: "synch", among: words)
        #expect(meant.map(\.word) == ["synchronous_commit", "synchronization"])
        #expect(meant.allSatisfy { $0.slips == 0 && $0.confidence == 0.5 })
        #expect(try await self.meant(by: "zzzz", among: words).isEmpty)
    }

    @Test func signsOfPatternsAreNoPatterns() async throws {
        #expect(try await meant(by: "50%_\\", among: [("50", 10)]).isEmpty)
    }

    @Test func oneBooksWordsStandAlone() async throws {
        let (here, there) = ([("vacuum", 10)], [("vacuums", 90)])
        #expect(try await meant(by: "vacuun", among: here, elsewhere: there, in: 1).map(\.word) == ["vacuum"])
        #expect(try await meant(by: "vacuun", among: here, elsewhere: there, in: 2).map(\.word) == ["vacuums"])
        #expect(try await meant(by: "vacuun", among: here, elsewhere: there).count == 2)
    }

    @Test func atMostThreeAreGiven() async throws {
        let words = ["tables", "tabled", "tabler", "tablet"].map { ($0, 10) }
        #expect(try await meant(by: "tablex", among: words).count == 3)
    }

    private func column(_ query: Query, _ connection: PostgresConnection) async throws -> [String] {
        try await connection.query(query).map { row in try row[0, as: String.self] }
    }

    @Test func anImportLearnsHowABookWritesItsWords() async throws {
        let database = try await TestDatabase.make()
        try await TestHouse.run(database: database) { house in
            try await house.waitUntilReady()
            let words = [
                "a.md": "# Vacuuming\n\nRun VACUUM with --full, or now(), on max_connections.", "b.md": "# Vacuum",
            ]
            try await house.importBook("Manual", words)
            let connection = try await PostgresConnection.connect(PostgresConfiguration(database))
            let spelt: Query = "select word from spelling order by word"
            // A sharper form is misspelt as its word is, which stands here too. Stop words are those of headings only.
            #expect(
                try await column(spelt, connection)
                    == [
                        "connections", "full", "max", "max_connections", "run", "vacuum", "vacuuming",
                    ]
            )
            let stems: Query = "select stem from spelling where word = 'vacuuming' and sections = 1"
            #expect(try await column(stems, connection) == ["vacuum"])

            try await house.importBook("Manual", ["b.md": "# Vacuum"])
            #expect(try await column(spelt, connection) == ["vacuum"])
            #expect(try await column("select word from posting order by word", connection) == ["vacuum"])
            await connection.close()
        }
    }

    @Test func anUnchangedBookKeepsItsIndex() async throws {
        let database = try await TestDatabase.make()
        try await TestHouse.run(database: database) { house in
            try await house.waitUntilReady()
            try await house.importBook("Handbook", handbook)
            let connection = try await PostgresConnection.connect(PostgresConfiguration(database))
            let versions: Query = "select distinct xmin::text from posting union select xmin::text from spelling"
            let before = try await column(versions, connection)
            #expect(before.count == 1)
            try await house.importBook("Handbook", handbook)
            #expect(try await column(versions, connection) == before)

            var changed = handbook
            changed["new.md"] = "# Sabbaticals"
            try await house.importBook("Handbook", changed)
            let after = try await column(versions, connection)
            #expect(after.count == 1 && after != before)
            // That a file is gone is a change as well.
            try await house.importBook("Handbook", handbook)
            #expect(try await column("select word from spelling where word = 'sabbaticals'", connection).isEmpty)
            #expect(try await column(versions, connection) != after)
            await connection.close()
        }
    }
}
