import FoundationEssentials
import NIOCore
import Testing
import Tracing
import Wire

@testable import Traces

@Suite struct OTLPTests {
    private func text(_ spans: [FinishedSpan]) -> String {
        String(buffer: OTLPEncoding(service: "octavo-test", version: "1.2").encode(spans))
    }

    @Test func aSpanIsWrittenAsTheCollectorReadsIt() throws {
        let parent = try #require(TraceParent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))
        var span = FinishedSpan(
            name: "GET /v1/books",
            kind: .server,
            own: parent.child(0xab),
            parent: parent,
            start: 17
        )
        span.end = 42
        span.attributes = ["http.response.status_code": 200, "is": true, "ratio": 0.5, "text": "a\n\"b\""]
        span.attributes["list"] = ["x", "y"]
        span.status = SpanStatus(code: .error, message: "never told")
        span.links = [SpanLink(context: .within(parent), attributes: [:])]
        let text = text([span])
        for part in [
            #""traceId":"0af7651916cd43dd8448eb211c80319c""#, #""spanId":"00000000000000ab""#,
            #""parentSpanId":"b7ad6b7169203331""#, #""kind":2"#, #""startTimeUnixNano":"17""#,
            #""endTimeUnixNano":"42""#,
            #"{"key":"http.response.status_code","value":{"intValue":"200"}}"#, #""value":{"boolValue":true}"#,
            #""value":{"doubleValue":0.5}"#, #""value":{"stringValue":"a\n\"b\""}"#, #""status":{"code":2}"#,
            #""arrayValue":{"values":[{"stringValue":"x"},{"stringValue":"y"}]}"#,
            #"{"key":"service.name","value":{"stringValue":"octavo-test"}}"#,
        ] {
            #expect(text.contains(part), "\(part) in \(text)")
        }
        #expect(!text.contains("\n") && !text.contains("never told"))
    }

    @Test func whatAnybodyMayMakeLongIsCut() {
        var span = FinishedSpan(name: "GET", kind: .server, own: TraceParent(isSampled: true), start: 0)
        span.attributes["url.path"] = "/" + String(repeating: "x", count: 100_000)
        for number in 0..<1_000 { span.attributes["a\(number)"] = number }
        #expect(text([span]).utf8.count < 10_000)
    }
}
