import Contract
import NIOHTTP1
import TestSupport
import Testing
import Wire

/// What is wrong with a request about readers and their lists, and what it is told; nothing of it changes anything.
@Suite(.serialized) struct ReadingListRefusalTests {
    private func withLibrary(_ body: (HTTP, TestHouse) async throws -> Void) async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            try await house.importBook("Handbook", handbook)
            let http = HTTP(house: house)
            _ = try await http.post("/v1/readers", #"{"handle":"ada","name":"Ada"}"#)
            try await body(http, house)
        }
    }

    /// Path, body, status, and what the sentence says.
    private static let refused: [(String, String, Int, String)] = [
        ("reading-list", "{}", 400, #""reader" is missing"#),
        ("reading-list", #"{"reader":1}"#, 400, #""book" is missing"#),
        ("reading-list", #"{"reader":null,"book":1}"#, 400, #""reader" is missing"#),
        ("reading-list", #"{"reader":"1","book":1}"#, 400, "not a string"),
        ("reading-list", #"{"reader":1.5,"book":1}"#, 400, "not 1.5"),
        ("reading-list", #"{"reader":0,"book":1}"#, 400, "not 0"),
        ("reading-list", #"{"reader":1,"book":-7}"#, 400, "not -7"),
        ("reading-list", #"{"reader":1,"book":99999999999999999999}"#, 400, "a whole number from 1"),
        ("reading-list", #"{"reader":1,"book":[1]}"#, 400, "not an array"),
        ("reading-list", #"{"reader":1,"book":1,"section":true}"#, 400, "not a boolean"),
        ("reading-list", #"{"reader":1,"book":1,"titel":"x"}"#, 400, #"no field "titel""#),
        ("reading-list", #"{"reader":1,"book":1,"title":""}"#, 400, "1 to 300 characters, not 0"),
        ("reading-list", #"{"reader":1,"book":1,"title":7}"#, 400, "has to be a string"),
        ("reading-list", #"{"reader":1,"book":1,"name":{}}"#, 400, "has to be a string"),
        ("reading-list", #"{"reader":1,"book":1,"summary":"a\u0000b"}"#, 400, "U+0000"),
        ("reading-list", #"{"reader":1,"book":1,"summary":"\ud800"}"#, 400, "not valid JSON"),
        ("reading-list", #"{"reader":1,"reader":1,"book":1}"#, 400, "not valid JSON"),
        ("reading-list", "[1,1]", 400, "not an array"),
        ("reading-list", "", 400, "empty"),
        ("reading-list", #"{"reader":9,"book":1}"#, 404, "no such reader"),
        ("reading-list", #"{"reader":9,"book":1,"title":"x"}"#, 404, "no such reader"),
        ("reading-list", #"{"reader":9,"book":1,"title":"x","name":"y"}"#, 404, "no such reader"),
        ("reading-list", #"{"reader":9,"book":1,"section":1}"#, 404, "no such reader"),
        ("reading-list", #"{"reader":1,"book":9}"#, 404, "no such book"),
        ("reading-list", #"{"reader":1,"book":9,"title":"x"}"#, 404, "no such book"),
        ("reading-list", #"{"reader":1,"book":1,"section":999}"#, 404, "no such section"),
        ("readers", #"{"handle":"ada","name":"Other"}"#, 409, "that handle"),
        ("readers", #"{"handle":"","name":"x"}"#, 400, "1 to 200 characters"),
        ("readers", #"{"handle":"x"}"#, 400, #""name" is missing"#),
        ("readers", #"{"handle":"x","name":"x","id":1}"#, 400, #"no field "id""#),
    ]

    @Test func eachIsToldWhatIsWrong() async throws {
        try await withLibrary { http, _ in
            for (path, body, status, sentence) in Self.refused {
                let answer = try await http.post("/v1/\(path)", body)
                #expect(answer.status == status, "\(body): \(answer.body)")
                let detail = answer.string("detail") ?? ""
                #expect(detail.contains(sentence), "\(body): \(detail)")
                #expect(answer.headers.first(name: "content-type") == "application/problem+json")
            }
            try await expectNothingChanged(http)
        }
    }

    @Test func whatIsTooLongIsRefused() async throws {
        try await withLibrary { http, _ in
            func long(_ count: Int) -> String { String(repeating: "é", count: count) }
            for (field, limit) in [("title", 300), ("name", 300), ("summary", 2000)] {
                let over = #"{"reader":1,"book":1,"\#(field)":"\#(long(limit + 1))"}"#
                let refused = try await http.post("/v1/reading-list", over)
                #expect(refused.status == 400, "\(field): \(refused.body)")
                #expect(refused.string("detail")?.contains("not \(limit + 1)") == true, "\(refused.body)")
                let huge = #"{"reader":1,"book":1,"\#(field)":"\#(String(repeating: "x", count: 1 << 20))"}"#
                let tooLarge = try await http.post("/v1/reading-list", huge)
                #expect(tooLarge.status == 413, "\(field): \(tooLarge.body)")
            }
            try await expectNothingChanged(http)
            let exact = #"{"reader":1,"book":1,"summary":"\#(long(2000))"}"#
            let kept = try await http.post("/v1/reading-list", exact)
            #expect(kept.status == 201, "\(kept.body)")
        }
    }

    @Test func bytesThatAreNoTextAreRefused() async throws {
        try await withLibrary { http, _ in
            for wrong: [UInt8] in [[0xC3, 0x28], [0xFF], [0xED, 0xA0, 0x80], [0xC0, 0x80]] {
                let body = Array(#"{"reader":1,"book":1,"name":""#.utf8) + wrong + Array(#""}"#.utf8)
                let refused = try await http.post("/v1/reading-list", bytes: body)
                #expect(refused.status == 400 && refused.body.contains("UTF-8"), "\(refused.body)")
            }
            let form = try await http.post(
                "/v1/reading-list",
                "reader=1&book=1",
                headers: ["content-type": "application/x-www-form-urlencoded"]
            )
            #expect(form.status == 415)
            try await expectNothingChanged(http)
        }
    }

    @Test(arguments: ["'; drop table reader; --", #"$1 \" \\ %s {}"#, "octavo_missing('x')", "🦊 狐 a\u{0301}"])
    func wordsStayWords(words: String) async throws {
        try await withLibrary { http, _ in
            let text = try JSON(encoding: words).description
            let made = try await http.post(
                "/v1/reading-list",
                #"{"reader":1,"book":1,"title":\#(text),"name":\#(text),"summary":\#(text)}"#
            )
            #expect(made.status == 201, "\(made.body)")
            #expect(made.string("summary") == words)
            let reader = try await http.get("/v1/readers/1")
            #expect(reader.string("name") == words)
            let book = try await http.get("/v1/books/1")
            #expect(book.string("title") == words)
            let other = try await http.post("/v1/readers", #"{"handle":\#(text),"name":\#(text)}"#)
            #expect(other.status == 201 && other.string("handle") == words, "\(other.body)")
        }
    }

    @Test(arguments: [
        ("/v1/readers/7", 404), ("/v1/readers/seven", 400), ("/v1/readers/1%3Bdrop", 400),
        ("/v1/readers/7/reading-list", 404), ("/v1/readers/1/reading-list?limit=201", 400),
        ("/v1/readers/1/reading-list?before=-1", 400), ("/v1/readers?limit=501", 400), ("/v1/books?limit=0", 400),
        ("/v1/books?after=x", 400), ("/v1/reading-list", 405),
    ])
    func pathsAndPagesAreChecked(path: String, status: Int) async throws {
        try await withLibrary { http, _ in
            let answer = try await http.get(path)
            #expect(answer.status == status, "\(answer.body)")
        }
    }

    private func expectNothingChanged(_ http: HTTP) async throws {
        let list = try await http.get("/v1/readers/1/reading-list")
        let page = try #require(list.json).decode(GetReadingList.Result.self)
        #expect(page.entries.isEmpty)
        #expect(page.reader.name == "Ada")
        let book = try await http.get("/v1/books/1")
        #expect(book.string("title") == "Handbook")
        let readers = try await http.get("/v1/readers")
        #expect(readers.json?.member("readers")?.elements?.count == 1)
    }
}
