import TestSupport
import Testing

/// The examples of the protocol are what happens.
@Suite(.serialized) struct DialogueTests {
    @Test func theExampleOfATransactionIsWhatHappens() async throws {
        let here = #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            let socket = "\(house.runFolder)/storage-admin.sock"
            let said = try await shell(
                "/usr/bin/python3 \(here)/dialogue.py \(socket) \(here)/../../protocol/storage.md 2>&1"
            )
            #expect(said == "as the page says\n")
        }
    }
}
