import Testing

@testable import Console

/// Moments as systemd writes them.
@Suite struct InstantTests {
    @Test func systemdsTimestampIsReadToTheMicrosecond() throws {
        let one = try #require(Instant(systemd: "Mon 2026-11-23 01:14:33.000042 UTC"))
        #expect(one.seconds == 1_795_396_473 && one.microseconds == 42)
        let later = try #require(Instant(systemd: "Mon 2026-11-23 01:14:33.100000 UTC"))
        #expect(one < later)
    }

    @Test(arguments: ["", "n/a", "Mon 2026-11-23 01:14:33 CET", "Mon 2026-11-23 25:14 UTC", "a b c UTC"])
    func whatIsNoMomentIsNone(text: String) {
        #expect(Instant(systemd: text) == nil)
    }
}
