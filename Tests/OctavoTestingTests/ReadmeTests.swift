import Contract
import FoundationEssentials
import OctavoTesting
import RPC
import Testing

/// The README shows a test that works, because it is the one below.
@Suite struct ReadmeTests {
    @Test(.rolledBack) func aReaderKeepsABook() async throws {
        let entry = try await ReadingListEntryFactory(reader: ReaderFactory(name: "Ada")).create()
        let list = try await TestStorage.client.perform(GetReadingList(reader: entry.reader.id))
        #expect(list.reader.name == "Ada")
        #expect(list.entries.map(\.book.title) == [entry.book.title])
    }

    @Test func theTestOfTheReadmeIsTheOneAbove() throws {
        let source = try text(#filePath)
        let readme = try text(#filePath.replacing("Tests/OctavoTestingTests/ReadmeTests.swift", with: "README.md"))
        let page = readme.split(separator: "```swift\n").dropFirst().map { $0.prefix(while: { $0 != "`" }) }
        let example = try #require(page.first { $0.contains(".rolledBack") })
        for line in example.split(separator: "\n") {
            #expect(source.contains("    \(line)\n"), "Not in the test: \(line)")
        }
    }

    private func text(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    }
}
