import NIOCore
import Testing
import Wire

@testable import RPC

@Suite(.serialized) struct ClientCallTests {
    private func streaming(_ buffer: StreamBuffer) -> ClientCall {
        let request = Request(
            operation: "test",
            arguments: .emptyObject,
            deadline: .seconds(30),
            idempotencyKey: nil,
            traceparent: nil,
            ticket: Ticket(),
            waiter: .stream(buffer)
        )
        return ClientCall(request, now: .now())
    }

    @Test func aStreamsDeadlineRunsOnlyWhileItsReaderWaits() async throws {
        let buffer = StreamBuffer(window: 4) { _ in }
        let call = streaming(buffer)
        #expect(!call.hasExpired(now: .now() + .hours(1)))
        let reading = Task { try await buffer.next() }
        try await eventually { buffer.waitingSince != nil }
        let since = try #require(buffer.waitingSince)
        #expect(!call.hasExpired(now: since + .seconds(29)))
        #expect(call.hasExpired(now: since + .seconds(30)))
        // An item starts it anew, and nothing runs until the reader comes back.
        buffer.append(.null)
        #expect(try await reading.value == .null)
        #expect(!call.hasExpired(now: .now() + .hours(1)))
    }

    @Test func aStreamSaysItsWholeDeadlineAndAnotherCallWhatRemains() throws {
        let call = streaming(StreamBuffer(window: 4) { _ in })
        guard case .call(let written) = call.message(id: 1, within: nil, credit: 4, now: .now() + .seconds(10)) else {
            return
        }
        #expect(written.deadlineMilliseconds == 30_000 && written.stream == 4)
    }
}

@Suite(.serialized) struct BackoffTests {
    @Test func pausesGrowToTwoSecondsAndNoFurther() {
        var backoff = Backoff()
        let now = NIODeadline.now()
        for attempt in 0..<50 {
            backoff.failed("x", isBusy: false, now: now)
            let ceiling = min(2_000, 50 << min(attempt, 6))
            #expect(backoff.until - now <= .milliseconds(Int64(ceiling)))
        }
        backoff.succeeded()
        #expect(backoff.until < now)
    }

    @Test func onlyFailuresWithoutPauseAreAnOutage() {
        var backoff = Backoff()
        let now = NIODeadline.now()
        #expect(!backoff.isOutage(now: now, patience: .zero))
        backoff.failed("x", isBusy: false, now: now)
        #expect(!backoff.isOutage(now: now + .seconds(1), patience: .seconds(2)))
        #expect(backoff.isOutage(now: now + .seconds(2), patience: .seconds(2)))
        // A peer that is merely busy is there.
        backoff.failed("x", isBusy: true, now: now + .seconds(2))
        #expect(!backoff.isOutage(now: now + .seconds(9), patience: .seconds(2)))
    }
}

@Suite(.serialized) struct StreamBufferTests {
    @Test func creditIsGivenBackAsItemsAreTaken() async throws {
        let granted = Gauge()
        let buffer = StreamBuffer(window: 4) { wish in
            if case .grant(let items) = wish { for _ in 0..<items { granted.enter() } }
        }
        for _ in 0..<4 { buffer.append(.null) }
        #expect(granted.total == 0)
        for taken in 1...4 {
            _ = try await buffer.next()
            #expect(granted.total == taken / 2 * 2)
        }
    }

    @Test func whatArrivedBeforeAnErrorIsReadFirst() async throws {
        let buffer = StreamBuffer(window: 4) { _ in }
        buffer.append(.null)
        buffer.finish(.failure(.aborted("x")))
        #expect(try await buffer.next() == .null)
        #expect(await failure { try await buffer.next() } == .aborted("x"))
    }

    @Test func theServicesCreditNarrowsTheWindow() {
        let buffer = StreamBuffer(window: 32) { _ in }
        #expect(buffer.open(accepted: 16) == 16)
        #expect(buffer.open(accepted: 256) == 16)
    }
}
