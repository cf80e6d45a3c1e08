import Contract
import Daemon
import RPC
import TestSupport
import Testing
import Wire

/// Search as callers see it, over a small library.
@Suite(.serialized) struct SearchTests {
    private func withHandbook(_ body: @Sendable (TestHouse) async throws -> Void) async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            try await house.importBook("Handbook", handbook)
            try await body(house)
        }
    }

    @Test(arguments: [
        ("asking for a day off", "asking-for-a-day-off"),
        ("carry_over_limit", "carrying-days-over"),
        ("limit of carrying over", "carrying-days-over"),
        ("EXP_7", "travel-expenses"),
        ("recieipts", "travel-expenses"),
        ("train", "trains"),
    ])
    func theSectionThatIsMeantIsFoundFirst(query: String, anchor: String) async throws {
        try await withHandbook { house in
            let search = SearchSections(query: query)
            let result = try await house.withAdmin(of: "storage") { try await $0.perform(search) }
            #expect(result.hits.first?.anchor == anchor)
        }
    }

    @Test func aHitNamesItsPlaceAndItsWords() async throws {
        try await withHandbook { house in
            let http = HTTP(house: house)
            let answer = try await http.get("/v1/search?q=receipts&limit=1")
            let hit = try #require(try JSON(validating: answer.body).decode(SearchSections.Result.self).hits.first)
            #expect(hit.book.title == "Handbook")
            #expect(hit.headings == ["Travel expenses"])
            #expect(hit.file == "expenses/travel.md")
            #expect(hit.excerpt.contains("Receipts are handed in"))
            #expect(Set(hit.words).isSuperset(of: ["receipt", "Receipts"]))
            #expect(hit.score > 0)
            #expect(hit.coverage == 1)
        }
    }

    @Test(arguments: ["day%20off%20asking", "day+off+asking"])
    func aSpaceMayBeWrittenEitherWay(query: String) async throws {
        try await withHandbook { house in
            let answer = try await HTTP(house: house).get("/v1/search?q=\(query)&limit=1")
            let hit = try #require(try JSON(validating: answer.body).decode(SearchSections.Result.self).hits.first)
            #expect(hit.coverage == 1)
        }
    }

    @Test func whatIsMisspeltIsSaid() async throws {
        try await withHandbook { house in
            let output = try await house.octavo(["books", "search", "recieipts", "--run-folder", house.runFolder])
            #expect(output.exit == .code(0))
            #expect(output.errors.contains("recieipts"))
            #expect(output.text.contains("Travel expenses"))
        }
    }

    @Test(arguments: ["'; drop table section; --", "%_\\", "🦊 狐", "a\u{0301}", "((((", "NOT", "*", "  "])
    func noQueryBreaksIt(query: String) async throws {
        try await withHandbook { house in
            try await house.withAdmin(of: "storage") { storage in
                do {
                    _ = try await storage.perform(SearchSections(query: query))
                } catch {
                    #expect((error as? ServiceError)?.code == .invalidArgument)
                }
            }
        }
    }
}
