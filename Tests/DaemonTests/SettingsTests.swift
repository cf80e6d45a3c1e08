import Configuration
import FoundationEssentials
import Logging
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

    private func fromFile(_ text: String, _ environment: [String: String] = [:]) async throws -> Settings {
        try await withScratch { scratch in
            let path = "\(scratch)/settings"
            try text.write(toFile: path, atomically: false, encoding: .utf8)
            return try Settings(environment: environment.merging(["OCTAVO_SETTINGS": path]) { $1 })
        }
    }

    @Test func aFileOfSettingsWinsOverTheEnvironment() async throws {
        let text = "# a comment\n\n; another\n A_1=one \nB=\"t w o\"\nC='x=y'\r\nD=\nE=a=b#c\n"
        let settings = try await fromFile(text, ["A_1": "0", "D": "given", "F": "kept"])
        let values = ["A_1", "B", "C", "D", "E", "F"].map { settings.values[$0] }
        #expect(values == ["one", "t w o", "x=y", nil, "a=b#c", "kept"])
    }

    @Test(arguments: ["nonsense", "=x", "1A=x", "A B=x", "A-B=x", "A=\"x", "A='", "A=x\\", "export A=x"])
    func aLineThatIsNoSettingIsNamedByItsNumberAlone(line: String) async throws {
        let error = await #expect(throws: ConfigurationError.self) { try await fromFile("GOOD=1\n\(line)\n") }
        #expect(error?.description.hasPrefix("Line 2 of ") == true && error?.description.contains(line) == false)
    }

    @Test func aFileThatIsNotThereSetsNothing() throws {
        let settings = try Settings(environment: ["OCTAVO_SETTINGS": "/nowhere/settings", "A": "1"])
        #expect(settings.values["A"] == "1")
    }

    @Test func anotherLogLevelFallsBackByItself() {
        let threshold = LogThreshold(.info)
        threshold.set(.debug, for: .seconds(3_600))
        #expect(threshold.level == .debug && threshold.usual == .info)
        threshold.set(.trace, for: .zero)
        #expect(threshold.level == .info)
        threshold.setUsual(.warning)
        #expect(threshold.level == .warning)
    }
}
