import Testing

@testable import Slack

/// When a method is left alone: pure, so no test waits.
@Suite struct RateGateTests {
    private let start = ContinuousClock.now

    @Test func aMethodIsLeftAloneAsLongAsSlackAsked() {
        var gate = RateGate()
        #expect(gate.pause(before: "a", now: start) == nil)
        gate.close("a", retryAfter: "30", now: start)
        #expect(gate.pause(before: "a", now: start + .seconds(10)) == .seconds(20))
        #expect(gate.pause(before: "b", now: start) == nil)
        #expect(gate.pause(before: "a", now: start + .seconds(30)) == nil)
    }

    @Test func theLongestWishCounts() {
        var gate = RateGate()
        gate.close("a", retryAfter: "30", now: start)
        gate.close("a", retryAfter: "1", now: start)
        #expect(gate.pause(before: "a", now: start) == .seconds(30))
    }

    @Test(arguments: [
        (nil, RateGate.usualPause), ("soon", RateGate.usualPause), ("-5", .seconds(1)), ("0", .seconds(1)),
        ("9223372036854775807", RateGate.longestPause), ("99999999999999999999", RateGate.usualPause),
    ])
    func aWishThatIsNoneHasTheUsualPause(wish: String?, pause: Duration) {
        var gate = RateGate()
        gate.close("a", retryAfter: wish, now: start)
        #expect(gate.pause(before: "a", now: start) == pause)
    }
}
