import NIOHTTP1
import Synchronization
import Testing

@testable import Agents

@Suite(.serialized) struct RetryPolicyTests {
    private func failure(mayRetry: Bool = true, retryAfter: Duration? = nil) -> ProviderFailure {
        ProviderFailure(AgentError(.providerUnavailable, "x", retryAfter: retryAfter), mayRetry: mayRetry)
    }

    @Test func pausesDoubleAndHalfOfEachIsRandom() {
        let policy = RetryPolicy(retries: 3)
        let shortest = (1...3).map { policy.pause(after: failure(), attempt: $0, random: 0) }
        let longest = (1...3).map { policy.pause(after: failure(), attempt: $0, random: 1) }
        #expect(shortest == [.milliseconds(250), .milliseconds(500), .milliseconds(1000)])
        #expect(longest == [.milliseconds(500), .milliseconds(1000), .milliseconds(2000)])
    }

    @Test func noPauseIsLongerThanTheLimitHoweverMany() {
        let policy = RetryPolicy(retries: .max)
        for attempt in [8, 64, 1000, .max] {
            #expect(policy.pause(after: failure(), attempt: attempt, random: 1) == .seconds(30))
        }
    }

    @Test func theRetriesAreCounted() {
        #expect(RetryPolicy(retries: 2).pause(after: failure(), attempt: 2) != nil)
        #expect(RetryPolicy(retries: 2).pause(after: failure(), attempt: 3) == nil)
        #expect(RetryPolicy(retries: 0).pause(after: failure(), attempt: 1) == nil)
    }

    @Test func aFinalFailureIsFinal() {
        #expect(RetryPolicy().pause(after: failure(mayRetry: false), attempt: 1) == nil)
    }

    @Test func theProvidersWishIsObeyedUpToTheLimit() {
        #expect(RetryPolicy().pause(after: failure(retryAfter: .seconds(30)), attempt: 1) == .seconds(30))
        #expect(RetryPolicy().pause(after: failure(retryAfter: .seconds(31)), attempt: 1) == nil)
    }
}

@Suite(.serialized) struct RetryAfterTests {
    private func duration(_ headers: HTTPHeaders) -> Duration? { RetryAfter.duration(in: headers) }

    @Test(arguments: [
        ("7", Duration.seconds(7)), ("0.5", .milliseconds(500)), ("0", .zero), ("1e300", .seconds(31_536_000)),
    ])
    func secondsAreRead(text: String, duration: Duration) {
        #expect(self.duration(["Retry-After": text]) == duration)
    }

    @Test func millisecondsGoFirst() {
        #expect(duration(["retry-after": "7", "retry-after-ms": "20"]) == .milliseconds(20))
    }

    @Test func aDateIsTakenAgainstTheProvidersOwnClock() {
        let end = "Tue, 01 Mar 2022 00:00:05 GMT"
        #expect(duration(["retry-after": end, "date": "Mon, 28 Feb 2022 23:59:58 GMT"]) == .seconds(7))
        #expect(
            duration(["retry-after": "Fri, 01 Mar 2024 00:00:00 GMT", "date": "Wed, 28 Feb 2024 00:00:00 GMT"])
                == .seconds(172_800)
        )
        #expect(duration(["retry-after": end, "date": "Tue, 01 Mar 2022 00:00:06 GMT"]) == .zero)
        #expect(duration(["retry-after": end]) == nil)
    }

    @Test(arguments: ["", "-1", "nan", "inf", "soon", "Tue, 01 Foo 2022 00:00:05 GMT", "Tue, 99 Mar 2022 00:00:05 GMT"])
    func nonsenseIsIgnored(text: String) {
        #expect(duration(["retry-after": text, "date": "Tue, 01 Mar 2022 00:00:00 GMT"]) == nil)
    }
}

@Suite struct WatchdogTests {
    private let timeouts = ProviderTimeouts(firstByte: .milliseconds(200), idle: .milliseconds(200))

    /// Returns when it is broken off.
    private func wait(_ watchdog: Watchdog) async {
        await withCheckedContinuation { broken in watchdog.guards { broken.resume() } }
    }

    @Test func aPhaseThatTakesTooLongEndsTheWork() async {
        let watchdog = Watchdog(timeouts)
        watchdog.awaitFirstByte()
        await wait(watchdog)
        #expect(watchdog.verdict?.code == .timedOut)
        watchdog.stop()
    }

    @Test func theTimeAReaderTakesIsNotTheProviders() async throws {
        let watchdog = Watchdog(ProviderTimeouts(firstByte: .seconds(1), idle: .seconds(1)))
        let wasBrokenOff = Mutex(false)
        watchdog.guards { wasBrokenOff.withLock { $0 = true } }
        watchdog.awaitFirstByte()
        watchdog.rest()
        try await Task.sleep(for: .seconds(2))
        watchdog.stop()
        #expect(watchdog.verdict == nil && !wasBrokenOff.withLock { $0 })
    }

    @Test func aProviderThatDoesNotEndIsLeftWithoutComplaint() async {
        let watchdog = Watchdog(timeouts)
        watchdog.awaitEnd()
        await wait(watchdog)
        #expect(watchdog.verdict == nil)
        watchdog.stop()
    }

    @Test func theWholeIsBoundedEvenWhenNoPhaseIs() async {
        let watchdog = Watchdog(ProviderTimeouts(total: .milliseconds(20)))
        await wait(watchdog)
        #expect(watchdog.verdict?.code == .timedOut)
        await #expect(throws: AgentError.self) { try await watchdog.pause(for: .seconds(3600)) }
        watchdog.stop()
    }

    @Test func aRequestForWhichThereIsNoTimeIsBrokenOffAtOnce() async {
        let watchdog = Watchdog(ProviderTimeouts(total: .zero))
        await wait(watchdog)
        await wait(watchdog)
        watchdog.stop()
    }

    @Test func afterItsEndNothingIsBrokenOff() async throws {
        let watchdog = Watchdog(ProviderTimeouts(total: .seconds(1)))
        let wasBrokenOff = Mutex(false)
        watchdog.guards { wasBrokenOff.withLock { $0 = true } }
        watchdog.stop()
        try await Task.sleep(for: .seconds(2))
        #expect(!wasBrokenOff.withLock { $0 })
    }
}
