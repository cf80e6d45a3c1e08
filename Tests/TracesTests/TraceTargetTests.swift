import Testing

@testable import Traces

@Suite struct TraceTargetTests {
    private static let known: [(String, TraceTarget)] = [
        ("file:/var/log/x", .folder("/var/log/x")), ("file", .folder("/var/log/octavo-gateway")),
        ("unix:/run/otlp.sock", .socket("/run/otlp.sock")), ("http://127.0.0.1", .http(host: "127.0.0.1", port: 4318)),
        ("http://localhost:9000/", .http(host: "127.0.0.1", port: 9_000)),
        ("http://[::1]:4318", .http(host: "::1", port: 4_318)),
    ]

    @Test(arguments: known) func aTargetIsRead(_ setting: String, _ target: TraceTarget) throws {
        #expect(try TraceTarget(setting, logs: "/var/log/octavo-gateway:/elsewhere") == target)
    }

    @Test(arguments: [
        "", "yes", "file:", "file:relative", "unix:", "unix:x", "http://collector.example.com:4318",
        "http://127.0.0.1.example.com",
        "http://127.0.0.1:0", "http://127.0.0.1:4318/v1/traces", "https://127.0.0.1:4318",
        "unix:/" + String(repeating: "x", count: 108),
    ])
    func whatIsNoneIsRefused(_ setting: String) {
        #expect(throws: TraceTarget.Refusal.self) { try TraceTarget(setting, logs: "/var/log/x") }
    }

    @Test func withoutAFolderForLogsFileNeedsOne() {
        #expect(throws: TraceTarget.Refusal.self) { try TraceTarget("file", logs: nil) }
    }
}
