import ArgumentParser
import Contract
import Daemon
import FoundationEssentials
import Postgres
import RPC
import TestSupport
import Testing
import Wire

@testable import Console

/// `octavo run`, over real processes.
@Suite(.serialized) struct ManagementCommandTests {
    private func run(_ words: [String], _ house: TestHouse) async throws -> TestHouse.Output {
        try await house.octavo(["run"] + words + ["--run-folder", house.runFolder])
    }

    private func query(_ statement: String, on database: String) async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(database))
        try await connection.run(script: statement)
        await connection.close()
    }

    // MARK: Finding commands

    @Test func withoutANameItListsAllCommands() async throws {
        try await TestHouse.run(database: nil) { house in
            let list = try await house.octavo(["run"])
            #expect(list.exit == .code(0))
            let lines = list.text.split(separator: "\n")
            #expect(lines.map { $0.prefix { $0 != " " } } == ["books-refresh", "check", "migrate", "prune"])
            #expect(lines.allSatisfy { $0.hasSuffix(".") })
            let help = try await house.octavo(["run", "migrate", "--help"])
            #expect(help.text.contains("--check") && help.text.contains("-- locks: REASON"))
            let own = try await house.octavo(["run", "--help"])
            #expect(own.text.contains("books-refresh") && !own.text.contains("\n  list"), "\(own.text)")
        }
    }

    @Test(arguments: [
        ("migrat", "octavo run migrate"), ("refresh-books", nil), ("chekc", "octavo run check"),
        ("books", "books-refresh"),
        ("zzz", nil), (String(repeating: "x", count: 10_000), nil),
    ])
    func anUnknownNameGetsTheNearestOne(name: String, meant: String?) async throws {
        try await TestHouse.run(database: nil) { house in
            let output = try await house.octavo(["run", name, "--plan"])
            #expect(output.exit == .code(64))
            #expect(output.errors.contains("There is no command"))
            #expect(output.errors.contains("Did you mean") == (meant != nil), "\(output.errors)")
            if let meant { #expect(output.errors.contains(meant), "\(output.errors)") }
        }
    }

    @Test func theExampleOfTheReadmeIsTheOneThatIsCompiledHere() async throws {
        let folder = #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }
        let code = try text("\(folder)/EmptyBooks.swift")
        let type = try #require(code.firstRange(of: "/// `octavo run empty-books`."))
        #expect(try text("\(folder)/../../README.md").contains(code[type.lowerBound...]))
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            try await EmptyBooks.parse(["--run-folder", house.runFolder]).run()
        }
    }

    private func text(_ path: String) throws -> String {
        String(decoding: try #require(FileManager.default.contents(atPath: path)), as: UTF8.self)
    }

    // MARK: migrate and check

    @Test func aHealthyInstallationIsGood() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            try await eventually { try await run(["check"], house).exit == .code(0) }
            let check = try await run(["check"], house)
            #expect(!check.text.contains("wrong"), "\(check.text)")
            let migrate = try await run(["migrate", "--check"], house)
            #expect(migrate.exit == .code(0) && migrate.text.contains("none is wrong"), "\(migrate.text)")
            let plan = try await run(["migrate", "--plan", "--json"], house)
            let listed = try JSON(validating: String(plan.text.dropLast())).decode(ListMigrations.Result.self)
            #expect(listed.migrations.allSatisfy { $0.state == .applied })
            let apply = try await run(["migrate"], house)
            #expect(apply.exit == .code(0) && apply.text.contains("Nothing to do"))
        }
    }

    @Test func aMigrationThatWasRefusedIsFoundMendedAndAppliedWithoutARestart() async throws {
        let database = try await TestDatabase.make()
        // There is nothing yet but a table that one of the migrations wants to make.
        try await query("drop schema public cascade; create schema public; create table approval ()", on: database)
        try await TestHouse.run(database: database) { house in
            try await eventually { try await run(["check"], house).text.contains("a migration was refused") }
            let check = try await run(["check"], house)
            #expect(check.exit == .code(1) && check.text.contains("octavo run migrate"), "\(check.text)")
            let plan = try await run(["migrate", "--plan"], house)
            #expect(
                plan.exit == .code(0) && plan.text.contains("Migration 16 (approvals) would be applied."),
                "\(plan.text)"
            )
            let missing = try await run(["migrate", "--check"], house)
            #expect(missing.exit == .code(1) && missing.text.contains("Migration 16 (approvals) is missing"))
            let refused = try await run(["migrate"], house)
            #expect(refused.exit == .code(1))
            #expect(
                refused.errors.contains("Migration 16 (approvals) failed and has changed nothing"),
                "\(refused.errors)"
            )

            try await query("drop table approval", on: database)
            let applied = try await run(["migrate"], house)
            #expect(applied.text.contains("Migration 16 was applied."), "\(applied.errors)")
            try await house.waitUntilReady()
            let good = try await run(["migrate", "--check"], house)
            #expect(good.exit == .code(0), "\(good.text)")
        }
    }

    @Test func anEditedMigrationFailsTheCheck() async throws {
        let database = try await TestDatabase.make()
        try await TestHouse.run(database: database) { house in
            try await house.waitUntilReady()
            try await query("update octavo_migration set checksum = 'x' where number = 1", on: database)
            let check = try await run(["migrate", "--check"], house)
            #expect(check.exit == .code(1) && check.text.contains("Migration 1 (books) was edited"), "\(check.text)")
            let both = try await run(["migrate", "--check", "--plan"], house)
            #expect(both.exit == .code(64))
        }
    }

    @Test func whatIsNotThereIsSaidWithWhatToDo() async throws {
        try await TestHouse.run(database: nil) { house in
            let check = try await run(["check"], house)
            #expect(check.exit == .code(1))
            #expect(
                check.text.contains("no database configured") && check.text.contains("Set DATABASE_URL"),
                "\(check.text)"
            )
            let nowhere = try await house.octavo(["run", "check", "--run-folder", "/nowhere"])
            #expect(nowhere.exit == .code(1) && nowhere.text.contains("there is no /nowhere/storage-admin.sock"))
            // One cause, said once, with what to do about it.
            #expect(nowhere.text.split(separator: "\n").count == 2, "\(nowhere.text)")
            let json = try await house.octavo(["run", "check", "--run-folder", "/nowhere", "--json"])
            #expect(try JSON(validating: String(json.text.dropLast())).member("findings")?.elements?.isEmpty == false)
        }
    }

    // MARK: books-refresh and prune

    @Test func booksAreImportedAgainFromWhereTheyCame() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            let none = try await run(["books-refresh"], house)
            #expect(none.exit == .code(0) && none.errors.contains("octavo books import"))
            let folder = house.runFolder + "/docs"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            func write(_ name: String, _ text: String) {
                _ = FileManager.default.createFile(atPath: "\(folder)/\(name)", contents: Data(text.utf8))
            }
            write("a.md", "# A\n\nOne.")
            write("b.md", "# B\n\nTwo.")
            _ = try await house.octavo([
                "books", "import", folder, "--title", "Docs", "--author", "Ada", "--run-folder", house.runFolder,
            ])
            // Its folder is removed at once.
            try await house.importBook("Gone", ["c.md": "# C\n\nThree."])
            write("b.md", "# B\n\nZwei.")
            let refresh = try await run(["books-refresh"], house)
            #expect(refresh.exit == .code(1))
            #expect(refresh.text.contains("Docs: 2 files, 1 changed, 0 removed"), "\(refresh.text)")
            #expect(refresh.errors.contains("Gone: "), "\(refresh.errors)")
            let books = try await house.withAdmin(of: "storage") { try await $0.perform(ListBooks()).books }
            #expect(books.first?.authors == ["Ada"])
        }
    }

    @Test func whatIsOldIsCountedAndThenDeleted() async throws {
        let database = try await TestDatabase.make()
        try await TestHouse.run(database: database) { house in
            try await house.waitUntilReady()
            try await query(
                """
                insert into question (text, channel, asked_at)
                select 'q', 'http', now() - interval '100 days' from generate_series(1, 1500)
                """,
                on: database
            )
            let counted = try await run(["prune", "--days", "90", "--dry-run"], house)
            #expect(counted.text.contains("Would delete 1500 questions"), "\(counted.text)")
            let done = try await run(["prune", "--days", "90", "--json"], house)
            #expect(done.text.contains(#""questions":1500"#), "\(done.text)")
            let again = try await run(["prune", "--days", "90"], house)
            #expect(again.text.contains("Deleted 0 questions"))
            let without = try await run(["prune"], house)
            #expect(without.exit == .code(64) && without.errors.contains("--days"))
        }
    }
}
