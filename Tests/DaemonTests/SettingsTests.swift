import Configuration
import FoundationEssentials
import Synchronization
import Systemd
import Testing

@testable import Daemon

@Suite(.serialized) struct SettingsTests {
    private func settings(_ credentials: [String: [UInt8]], _ environment: [String: String] = [:]) async throws
        -> Settings
    {
        try await withScratch { scratch in
            for (name, bytes) in credentials {
                #expect(FileManager.default.createFile(atPath: "\(scratch)/\(name)", contents: Data(bytes)))
            }
            var environment = environment
            environment["CREDENTIALS_DIRECTORY"] = scratch
            return try Settings(environment: environment)
        }
    }

    @Test func aCredentialAndItsVariableAreOneSettingAndTheFileWins() async throws {
        let settings = try await settings(["slack-bot-token": Array("from file\n".utf8)], ["SLACK_BOT_TOKEN": "other"])
        #expect(settings.reader.string(forKey: "slack.bot.token") == "from file")
    }

    @Test func anEmptyValueCountsAsNotGiven() async throws {
        let settings = try await settings(
            ["key": Array("\n".utf8), ".hidden": [65]],
            ["KEY": "variable", "OTHER": ""]
        )
        #expect(settings.reader.string(forKey: "key") == "variable")
        #expect(settings.reader.string(forKey: "other") == nil)
        #expect(settings.values["HIDDEN"] == nil && settings.values["_HIDDEN"] == nil)
    }

    @Test(arguments: [[0xFF, 0xFE], [UInt8](repeating: 65, count: Settings.credentialLimit + 1)])
    func aCredentialThatIsNoKeyIsRefusedWithoutItsValue(bytes: [UInt8]) async throws {
        let error = await #expect(throws: ConfigurationError.self) { try await settings(["key": bytes]) }
        #expect(error?.description.contains("/key is ") == true)
        #expect(error?.description.contains("AAAA") == false)
    }

    @Test func aSecretIsNotInTheReadersDescription() throws {
        let settings = try Settings(environment: ["API_KEY": "s3cret"], secrets: ["API_KEY"])
        #expect(!String(reflecting: settings.reader).contains("s3cret"))
        #expect(settings.reader.string(forKey: "api.key") == "s3cret")
    }
}

@Suite(.serialized) struct ReadinessTests {
    private final class Said: Sendable {
        let messages = Mutex<[String]>([])
    }

    private func said(_ body: (Readiness) -> Void) -> [String] {
        let said = Said()
        body(Readiness(notifier: Notifier { message in said.messages.withLock { $0.append(message) } }))
        return said.messages.withLock { $0 }
    }

    @Test func readyWaitsForTheLastListenerAndIsSaidOnce() {
        let said = said { readiness in
            let (http, admin) = (readiness.announce("http"), readiness.announce("admin"))
            http()
            readiness.seal()
            admin()
            admin()
        }
        #expect(said == ["STATUS=starting; waiting for admin", "READY=1", "STATUS=ready"])
    }

    @Test func aListenerArmedWhileComposingIsNotReadyYet() {
        #expect(said { $0.announce("http")() }.isEmpty)
    }

    @Test func withNothingAnnouncedItIsReadyOnceComposed() {
        #expect(said { $0.seal() } == ["READY=1", "STATUS=ready"])
    }
}
