import NIOCore
import Testing
import Wire

@testable import RPC

/// The queue of calls that have not been written: in order, and cheap to leave from anywhere.
@Suite struct WaitingCallsTests {
    private func calls(_ count: Int) -> [ClientCall] {
        (0..<count).map { number in
            let request = Request(
                operation: "\(number)",
                arguments: .emptyObject,
                deadline: .seconds(1),
                idempotencyKey: nil,
                traceparent: nil,
                ticket: Ticket(),
                waiter: .stream(StreamBuffer(window: 1) { _ in })
            )
            return ClientCall(request, now: .now())
        }
    }

    @Test func whoIsWithdrawnIsPassedOverWhereverItStands() {
        let calls = calls(6)
        var waiting = WaitingCalls()
        for call in calls.dropFirst() { waiting.append(call) }
        waiting.prepend(calls[0])
        for index in [0, 3, 5] { waiting.withdraw(calls[index]) }
        #expect(waiting.count == 3)
        #expect(waiting.next { _ in false } == nil && waiting.count == 3)
        #expect(waiting.next { _ in true } === calls[1])
        #expect(waiting.takeAll().map(\.request.operation) == ["2", "4"])
        #expect(waiting.isEmpty && waiting.next { _ in true } == nil)
    }

    /// Each was once looked for in the whole queue.
    @Test func manyMayLeaveAtTheSameMoment() {
        let calls = calls(20_000)
        var waiting = WaitingCalls()
        for call in calls { waiting.append(call) }
        for call in calls.reversed() { waiting.withdraw(call) }
        #expect(waiting.isEmpty)
        waiting.append(calls[0])
        #expect(waiting.count == 1)
    }
}
