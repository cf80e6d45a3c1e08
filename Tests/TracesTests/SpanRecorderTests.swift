import FoundationEssentials
import NIOCore
import Testing
import Tracing
import Wire

@testable import Traces

@Suite struct SpanRecorderTests {
    private static let sampled = TraceParent(isSampled: true)

    @Test func aCallersDecisionIsObeyed() {
        let nothing = SpanRecorder(sampling: Sampling(ratio: 0))
        #expect(nothing.start("a", .server, within: Self.sampled).isRecording)
        let everything = SpanRecorder(sampling: Sampling(ratio: 1))
        let unsampled = TraceParent()
        let span = everything.start("a", .server, within: unsampled)
        #expect(!span.isRecording && span.traceParent == unsampled)
    }

    @Test func aRatioOfTheTracesThatBeginHereIsKept() {
        let recorder = SpanRecorder(sampling: Sampling(ratio: 0.25))
        let spans = (0..<8_000).map { _ in recorder.start("a", .server, within: nil) }
        #expect((1_600...2_400).contains(spans.count { $0.isRecording }))
        #expect(spans.allSatisfy { $0.traceParent.isSampled == $0.isRecording })
    }

    @Test func onlyWhatComesInBeginsATrace() {
        let recorder = SpanRecorder()
        #expect(recorder.start("a", .server, within: nil).isRecording)
        #expect(recorder.start("a", .consumer, within: nil).isRecording)
        for kind in [SpanKind.client, .internal, .producer] {
            #expect(!recorder.start("a", kind, within: nil).isRecording)
        }
    }

    @Test func aSpanWithinAnotherHasItAsItsParent() {
        let recorder = SpanRecorder()
        recorder.withSpan("outer", context: .within(Self.sampled)) { outer in
            recorder.withSpan("inner") { inner in
                #expect(TraceParent.current == inner.traceParent)
                #expect(inner.traceParent.traceID == outer.traceParent.traceID)
            }
        }
        let spans = recorder.queue.take()
        #expect(spans.map(\.name) == ["inner", "outer"])
        #expect(spans[0].parent == spans[1].own && spans[1].parent == Self.sampled)
    }

    @Test func anErrorIsToldByItsTypeAlone() throws {
        struct Secret: Error { let text = "hunter2" }
        let recorder = SpanRecorder()
        let span = recorder.start("a", .server, within: Self.sampled)
        span.recordError(Secret())
        span.end()
        let spans = recorder.queue.take()
        let text = String(buffer: OTLPEncoding(service: "test", version: "1").encode(spans))
        #expect(text.contains("error.type") && text.contains("Secret") && !text.contains("hunter2"))
    }

    @Test func aSpanEndsOnce() {
        let recorder = SpanRecorder()
        let span = recorder.start("a", .server, within: Self.sampled)
        span.end()
        span.fail("late")
        span.end()
        #expect(recorder.counts.waiting == 1)
    }

    @Test func whatLeavesThisMachineIsToldNothing() {
        struct Headers: Injector {
            func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) {
                carrier[key] = value
            }
        }
        var carrier: [String: String] = [:]
        SpanRecorder().inject(.within(Self.sampled), into: &carrier, using: Headers())
        #expect(carrier.isEmpty)
    }

    @Test(arguments: ["0", "1", "0.05"]) func aRatioIsANumber(_ text: String) {
        #expect(Sampling(text)?.ratio == Double(text))
    }

    @Test(arguments: ["", "-1", "1.1", "nan", "all"]) func whatIsNoRatioIsRefused(_ text: String) {
        #expect(Sampling(text) == nil)
    }
}
