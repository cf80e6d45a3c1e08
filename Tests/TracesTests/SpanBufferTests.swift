import Testing
import Tracing
import Wire

@testable import Traces

@Suite struct SpanBufferTests {
    private func span(_ number: Int = 0) -> FinishedSpan {
        FinishedSpan(name: "\(number)", kind: .internal, own: TraceParent(isSampled: true), start: 0)
    }

    private func filled(_ count: Int) -> SpanBuffer {
        var buffer = SpanBuffer()
        for number in 0..<count { buffer.add(span(number)) }
        return buffer
    }

    @Test func aBatchIsTakenInTheOrderOfTheSpansEnds() {
        var buffer = filled(SpanBuffer.batch + 3)
        #expect(buffer.take().map(\.name) == (0..<SpanBuffer.batch).map { "\($0)" })
        #expect(buffer.delivered(.taken) == .zero)
        #expect(buffer.take().map(\.name) == (SpanBuffer.batch..<SpanBuffer.batch + 3).map { "\($0)" })
        #expect(buffer.delivered(.taken) == .zero)
        #expect(buffer.counts == SpanCounts(waiting: 0, exported: SpanBuffer.batch + 3, dropped: 0))
    }

    @Test func whatHasNoRoomIsLetGoAndCounted() {
        var buffer = filled(SpanBuffer.mostSpans + 7)
        #expect(buffer.counts == SpanCounts(waiting: SpanBuffer.mostSpans, exported: 0, dropped: 7))
        #expect(buffer.take().first?.name == "0")
    }

    @Test func theBatchThatIsBeingSentKeepsItsRoom() {
        var buffer = filled(SpanBuffer.mostSpans)
        _ = buffer.take()
        buffer.add(span())
        #expect(buffer.counts.dropped == 1)
        #expect(buffer.delivered(.again(after: nil)) > .zero)
        #expect(buffer.counts.waiting == SpanBuffer.mostSpans)
        _ = buffer.take()
        #expect(buffer.delivered(.taken) == .zero)
        buffer.add(span())
        #expect(buffer.counts.dropped == 1)
    }

    @Test func whatWasNotTakenIsSentAgainFirst() {
        var buffer = filled(SpanBuffer.batch * 2)
        let first = buffer.take().map(\.name)
        _ = buffer.delivered(.again(after: nil))
        #expect(buffer.take().map(\.name) == first)
    }

    @Test func pausesGrowToALimitAndEndWithSuccess() {
        var buffer = filled(1)
        var pauses: [Duration] = []
        for _ in 0..<7 {
            _ = buffer.take()
            pauses.append(buffer.delivered(.again(after: nil)))
        }
        #expect(pauses == [1, 2, 4, 8, 16, 30, 30].map { .seconds($0) })
        _ = buffer.take()
        _ = buffer.delivered(.taken)
        buffer.add(span())
        _ = buffer.take()
        #expect(buffer.delivered(.again(after: nil)) == .seconds(1))
    }

    @Test func aReceiversTimeIsKeptWithinReason() {
        var buffer = filled(1)
        _ = buffer.take()
        #expect(buffer.delivered(.again(after: .seconds(20))) == .seconds(20))
        _ = buffer.take()
        #expect(buffer.delivered(.again(after: .seconds(3_600))) == .seconds(30))
    }

    @Test func whatIsRefusedIsNotSentAgain() {
        var buffer = filled(5)
        _ = buffer.take()
        #expect(buffer.delivered(.refused) == .zero)
        #expect(buffer.counts == SpanCounts(waiting: 0, exported: 0, dropped: 5))
    }

    @Test func whatIsLeftAtTheEndIsCounted() {
        var buffer = filled(SpanBuffer.batch + 5)
        _ = buffer.take()
        buffer.dropAll()
        #expect(buffer.counts == SpanCounts(waiting: 0, exported: 0, dropped: SpanBuffer.batch + 5))
    }
}
