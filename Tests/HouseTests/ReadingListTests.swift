import Contract
import NIOHTTP1
import TestSupport
import Testing
import Wire

/// Reading lists over HTTP: several things at once, all of them or none.
@Suite(.serialized) struct ReadingListTests {
    /// A house with the handbook as book 1 and Ada as reader 1.
    private func withLibrary(_ body: (HTTP, TestHouse) async throws -> Void) async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            try await house.importBook("Handbook", handbook, authors: ["Ada"])
            let http = HTTP(house: house)
            let reader = try await http.post("/v1/readers", #"{"handle":"ada","name":"Ada"}"#)
            #expect(reader.status == 201, "\(reader.body)")
            #expect(reader.json?.member("id")?.integer == 1)
            try await body(http, house)
        }
    }

    private func section(_ query: String, _ http: HTTP) async throws -> Int {
        let found = try await http.get("/v1/search?q=\(query)&limit=1")
        return try #require(found.json?.member("hits")?.elements?.first?.member("id")?.integer)
    }

    @Test func titleNameAndEntryChangeTogether() async throws {
        try await withLibrary { http, _ in
            let body = #"{"reader":1,"book":1,"title":"Manual","name":"Lovelace","summary":"All there is."}"#
            let made = try await http.post("/v1/reading-list", body)
            #expect(made.status == 201, "\(made.body)")
            let result = try #require(made.json).decode(AddToReadingList.Result.self)
            #expect(result.isNew)
            #expect(result.entry.book.title == "Manual")
            #expect(result.entry.book.authors == ["Ada"])
            #expect(result.entry.summary == "All there is.")
            #expect(result.entry.section == nil)

            let list = try await http.get("/v1/readers/1/reading-list")
            let page = try #require(list.json).decode(GetReadingList.Result.self)
            #expect(page.entries == [result.entry])
            #expect(page.reader == Reader(id: 1, handle: "ada", name: "Lovelace"))
            #expect(page.next == nil)

            let again = try await http.post("/v1/reading-list", #"{"reader":1,"book":1,"summary":"Other."}"#)
            #expect(again.status == 200, "\(again.body)")
            #expect(again.json?.member("id")?.integer == result.entry.id)
            #expect(again.string("summary") == "Other.")
        }
    }

    @Test func aSectionWithoutASummaryGetsItsFirstSentences() async throws {
        try await withLibrary { http, _ in
            let section = try await section("receipts", http)
            let made = try await http.post("/v1/reading-list", #"{"reader":1,"book":1,"section":\#(section)}"#)
            #expect(made.status == 201, "\(made.body)")
            #expect(made.json?.member("section")?.integer == section)
            #expect(
                made.string("summary")
                    == "Keep every receipt. Receipts are handed in with the form EXP_7 within thirty days."
            )
        }
    }

    @Test func nothingIsDoneWhenOnePartFails() async throws {
        try await withLibrary { http, house in
            try await house.importBook("Other", ["a.md": "# Other\n\nAnother book."])
            let foreign = try await section("another", http)
            let parts: [(String, Int)] = [
                (#""section":999"#, 404), (#""section":\#(foreign)"#, 404), (#""title":"Other""#, 409),
            ]
            for (part, status) in parts {
                let title = part.contains("title") ? "" : #","title":"Manual""#
                let body = #"{"reader":1,"book":1,"name":"Lovelace"\#(title),\#(part)}"#
                let refused = try await http.post("/v1/reading-list", body)
                #expect(refused.status == status, "\(part): \(refused.body)")
            }
            let book = try await http.get("/v1/books/1")
            #expect(book.string("title") == "Handbook")
            let list = try await http.get("/v1/readers/1/reading-list")
            let page = try #require(list.json).decode(GetReadingList.Result.self)
            #expect(page.reader.name == "Ada")
            #expect(page.entries.isEmpty)
        }
    }

    @Test func theSameKeyIsTheSameRequest() async throws {
        try await withLibrary { http, _ in
            let section = try await section("receipts", http)
            let body = #"{"reader":1,"book":1,"section":\#(section),"title":"Manual"}"#
            let first = try await http.post("/v1/reading-list", body, headers: ["idempotency-key": "k"])
            #expect(first.status == 201, "\(first.body)")
            let again = try await http.post("/v1/reading-list", body, headers: ["idempotency-key": "k"])
            #expect(again.status == 201)
            #expect(again.body == first.body)
            let other = try await http.post(
                "/v1/reading-list",
                #"{"reader":1,"book":1}"#,
                headers: ["idempotency-key": "k"]
            )
            #expect(other.status == 409)
            #expect(other.string("detail")?.contains("idempotency key") == true, "\(other.body)")
            let withoutKey = try await http.post("/v1/reading-list", body)
            #expect(withoutKey.status == 200)
            for key in [String(repeating: "k", count: 101), "two words"] {
                let refused = try await http.post("/v1/reading-list", body, headers: ["idempotency-key": key])
                #expect(refused.status == 400 && refused.body.contains("Idempotency-Key"), "\(refused.body)")
            }
            let twice = try await http.post(
                "/v1/reading-list",
                body,
                headers: HTTPHeaders([("idempotency-key", "a"), ("idempotency-key", "b")])
            )
            #expect(twice.status == 400, "\(twice.body)")
        }
    }

    @Test func manyAtOnceWithOneKeyAreOne() async throws {
        try await withLibrary { http, _ in
            let bodies = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        let made = try await http.post(
                            "/v1/readers",
                            #"{"handle":"grace","name":"Grace"}"#,
                            headers: ["idempotency-key": "grace"]
                        )
                        return "\(made.status) \(made.body)"
                    }
                }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(bodies.count == 1 && bodies.first?.hasPrefix("201") == true, "\(bodies)")
        }
    }

    @Test func listsArePagedToTheirEnd() async throws {
        try await withLibrary { http, house in
            for number in 2...4 {
                try await house.importBook("Book \(number)", ["a.md": "# A\n\nText."])
                _ = try await http.post("/v1/readers", #"{"handle":"r\#(number)","name":"R"}"#)
                _ = try await http.post("/v1/reading-list", #"{"reader":1,"book":\#(number)}"#)
            }
            #expect(try await ids("/v1/books?limit=2", "books", "after", http) == [[1, 2], [3, 4]])
            #expect(try await ids("/v1/readers?limit=3", "readers", "after", http) == [[1, 2, 3], [4]])
            #expect(try await ids("/v1/readers/1/reading-list?limit=2", "entries", "before", http) == [[3, 2], [1]])
        }
    }

    private func ids(_ path: String, _ member: String, _ cursor: String, _ http: HTTP) async throws -> [[Int]] {
        var pages: [[Int]] = []
        var place: Int?
        repeat {
            let page = try await http.get(path + (place.map { "&\(cursor)=\($0)" } ?? ""))
            pages.append(page.json?.member(member)?.elements?.compactMap { $0.member("id")?.integer } ?? [])
            place = page.json?.member("next")?.integer
        } while place != nil && pages.count < 10
        return pages
    }

    @Test func anEntryIsTakenOffOnce() async throws {
        try await withLibrary { http, _ in
            _ = try await http.post("/v1/reading-list", #"{"reader":1,"book":1}"#)
            let gone = try await http.delete("/v1/readers/1/reading-list/1")
            #expect(gone.status == 204 && gone.body.isEmpty)
            let again = try await http.delete("/v1/readers/1/reading-list/1")
            #expect(again.status == 404)
            let list = try await http.get("/v1/readers/1/reading-list")
            #expect(list.json?.member("entries")?.elements?.isEmpty == true)
        }
    }
}
