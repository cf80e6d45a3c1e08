import Contract
import Daemon
import TestSupport
import Testing
import Wire

/// Readers, reading lists and books in the terminal.
@Suite(.serialized) struct LibraryCommandTests {
    private func withHouse(_ body: (TestHouse) async throws -> Void) async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            try await house.importBook("Handbook", handbook)
            try await body(house)
        }
    }

    private func octavo(_ words: [String], _ house: TestHouse) async throws -> TestHouse.Output {
        try await house.octavo(words + ["--run-folder", house.runFolder])
    }

    @Test func aReaderComesIsRenamedAndGoes() async throws {
        try await withHouse { house in
            let empty = try await octavo(["readers"], house)
            #expect(empty.text.isEmpty && empty.errors.contains("octavo readers add"))
            let made = try await octavo(["readers", "add", "ada", "--name", "Ada", "--json"], house)
            #expect(
                try JSON(validating: made.text.trimmed).decode(Reader.self) == Reader(id: 1, handle: "ada", name: "Ada")
            )
            let twice = try await octavo(["readers", "add", "ada"], house)
            #expect(twice.exit == .code(1) && twice.errors.contains("that handle"))
            let renamed = try await octavo(["readers", "rename", "1", "Lovelace"], house)
            #expect(renamed.text.contains("Lovelace"))
            let list = try await octavo(["readers", "list"], house)
            #expect(list.text == "1  ada  Lovelace\n")
            let gone = try await octavo(["readers", "remove", "1"], house)
            #expect(gone.exit == .code(0))
            let again = try await octavo(["readers", "remove", "1"], house)
            #expect(again.exit == .code(1) && again.errors.contains("no such reader"))
        }
    }

    @Test func aNameOfTwoLinesIsShownOnOne() async throws {
        try await withHouse { house in
            _ = try await octavo(["readers", "add", "eve", "--name", "Eve\n2  ada  Ada"], house)
            let list = try await octavo(["readers", "list"], house)
            #expect(list.text == "1  eve  Eve 2  ada  Ada\n")
        }
    }

    @Test func aReadingListIsKept() async throws {
        try await withHouse { house in
            _ = try await octavo(["readers", "add", "ada"], house)
            let empty = try await octavo(["reading-list", "list", "1"], house)
            #expect(empty.errors.contains("octavo reading-list add 1 BOOK"))
            let kept = try await octavo(["reading-list", "add", "1", "1", "--summary", "All there is."], house)
            #expect(kept.text == "1  Handbook  All there is.\n", "\(kept.errors)")
            let list = try await octavo(["reading-list", "list", "1", "--json"], house)
            let page = try JSON(validating: list.text.trimmed).decode(GetReadingList.Result.self)
            #expect(page.entries.map(\.book.title) == ["Handbook"])
            let unknown = try await octavo(["reading-list", "add", "1", "1", "--section", "999"], house)
            #expect(unknown.exit == .code(1) && unknown.errors.contains("no such section"))
            let gone = try await octavo(["reading-list", "remove", "1", "1"], house)
            #expect(gone.exit == .code(0))
        }
    }

    @Test func aBookIsRenamedAndRemoved() async throws {
        try await withHouse { house in
            let renamed = try await octavo(["books", "rename", "1", "Manual"], house)
            #expect(renamed.exit == .code(0), "\(renamed.errors)")
            let list = try await octavo(["books", "list", "--limit", "1"], house)
            #expect(list.text.contains("1  Manual"))
            let empty = try await octavo(["books", "rename", "1", ""], house)
            #expect(empty.exit == .code(1) && empty.errors.contains("1 to 300 characters"))
            let gone = try await octavo(["books", "remove", "1"], house)
            #expect(gone.exit == .code(0), "\(gone.errors)")
            let search = try await HTTP(house: house).get("/v1/search?q=receipts")
            #expect(search.json?.member("hits")?.elements?.isEmpty == true)
        }
    }
}

extension String {
    fileprivate var trimmed: String { String(split(separator: "\n").first ?? "") }
}
