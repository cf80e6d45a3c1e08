import Contract
import Daemon
import RPC
import TestSupport
import Testing
import Wire

/// Documentation in: through the command line into a real database.
@Suite(.serialized) struct ImportTests {
    private struct Report: Decodable {
        var book: Int
        var documents: Int
        var sections: Int
        var changed: Int
        var removed: Int
    }

    private func report(_ output: TestHouse.Output) throws -> Report {
        try JSON(validating: output.text.split(separator: "\n").map(String.init).last ?? "").decode(Report.self)
    }

    @Test func importingAgainChangesNothingAndKeepsTheSections() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            let first = try report(await house.importBook("Handbook", handbook))
            #expect(first.documents == 2)
            #expect(first.changed == 2)
            let http = HTTP(house: house)
            let before = try await http.get("/v1/books/\(first.book)")

            let second = try report(await house.importBook("Handbook", handbook))
            #expect(second.book == first.book)
            #expect(second.changed == 0)
            #expect(second.removed == 0)
            let after = try await http.get("/v1/books/\(first.book)")
            #expect(before.body == after.body)
        }
    }

    @Test func changedFilesAreReplacedAndMissingOnesGo() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            _ = try await house.importBook("Handbook", handbook)
            var changed = handbook
            changed["expenses/travel.md"] = nil
            changed["holidays.md"]? += "\n## Sabbaticals\n\nA sabbatical lasts three months.\n"
            let report = try report(await house.importBook("Handbook", changed))
            #expect(report.changed == 1)
            #expect(report.removed == 1)
            #expect(report.documents == 1)

            let http = HTTP(house: house)
            let gone = try await http.get("/v1/search?q=receipts")
            #expect(try JSON(validating: gone.body).decode(SearchSections.Result.self).hits.isEmpty)
            let new = try await http.get("/v1/search?q=sabbatical")
            #expect(
                try JSON(validating: new.body).decode(SearchSections.Result.self).hits.first?.anchor == "sabbaticals"
            )
        }
    }

    @Test func anImportThatIsOvertakenByAnotherIsRefused() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            try await house.withAdmin(of: "storage") { storage in
                let first = try await storage.perform(BeginImport(title: "Handbook", authors: []))
                _ = try await storage.perform(BeginImport(title: "Handbook", authors: []))
                let finish = FinishImport(book: first.book, import: first.import)
                await #expect { try await storage.perform(finish) } throws: { error in
                    (error as? ServiceError)?.code == .failedPrecondition
                }
                let unknown = FinishImport(book: first.book + 1, import: 1)
                await #expect { try await storage.perform(unknown) } throws: { error in
                    (error as? ServiceError)?.code == .notFound
                }
            }
        }
    }

    @Test func readersSeeNothingOfAnImportUntilItIsFinished() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            try await house.withAdmin(of: "storage") { storage in
                let begun = try await storage.perform(BeginImport(title: "Handbook", authors: []))
                let section = PutDocuments.SectionText(headings: ["Holidays"], anchor: "", text: "Ask your lead.")
                let document = PutDocuments.Document(file: "a.md", sections: [section])
                let put = PutDocuments(book: begun.book, import: begun.import, documents: [document])
                #expect(try await storage.perform(put).changed == 1)
                // The same again, as after a lost answer.
                #expect(try await storage.perform(put).changed == 1)
                #expect(try await storage.perform(GetBook(book: begun.book)).sections.isEmpty)
                #expect(try await storage.perform(SearchSections(query: "lead")).hits.isEmpty)

                let finished = try await storage.perform(FinishImport(book: begun.book, import: begun.import))
                #expect(finished == FinishImport.Result(documents: 1, sections: 1, removed: 0))
                #expect(try await storage.perform(GetBook(book: begun.book)).sections.count == 1)
                #expect(try await storage.perform(SearchSections(query: "lead")).hits.count == 1)
            }
        }
    }

    @Test func aPathWithoutDocumentationIsAnErrorThatSaysSo() async throws {
        try await TestHouse.run(database: nil) { house in
            let output = try await house.octavo([
                "books", "import", "/nowhere", "--title", "T", "--run-folder", house.runFolder,
            ])
            #expect(output.exit == .code(1))
            #expect(output.errors.contains("/nowhere"))
        }
    }
}
